import { type Alarm } from "../components/observability/alarm";
import { resolveStack } from "../config/resolve";
import { valuesOf } from "../offline/stackFile";
import { alarmsOf } from "../stack/alarmTable";

/** Parts of the platform with alarms that production does not have yet. */
export const OPTIONAL = [
    "mcp:copies.region=ap-southeast-1",
    "mcp:copies.backups.bucket=msil-mcp-backups-copy",
    "mcp:copies.archive.bucket=msil-mcp-audit-copy",
];

/** The documented alarms: production's, and those of parts that it can enable. */
export function documentedAlarms(root: string): Alarm[] {
    return alarmsOf(resolveStack(valuesOf(root, "production", { edits: OPTIONAL })));
}
