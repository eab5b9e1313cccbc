import { type Alarm } from "../components/observability/alarm";
import { resolveStack } from "../config/resolve";
import { valuesOf } from "../offline/stackFile";
import { alarmsOf } from "../stack/alarmTable";

/** Parts of the platform that production does not have yet, and that have alarms. */
export const OPTIONAL = [
    "mcp:copies.region=ap-southeast-1",
    "mcp:copies.backups.bucket=msil-mcp-backups-copy",
    "mcp:copies.archive.bucket=msil-mcp-audit-copy",
];

/** The alarms that the documents describe: those of production, and of what it can switch on. */
export function documentedAlarms(root: string): Alarm[] {
    return alarmsOf(resolveStack(valuesOf(root, "production", { edits: OPTIONAL })));
}
