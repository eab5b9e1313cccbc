import { type Severity } from "../../core/numbers";
import { type IncidentName } from "./incidentGroups";

/** One metric of CloudWatch, and how its values of a period become one. */
export interface Metric {
    namespace: string;
    name: string;
    /** Exactly those that it is published with: with one more or less it is another metric, which nobody publishes. */
    dimensions: Readonly<Record<string, string>>;
    statistic: "Average" | "Maximum" | "Minimum" | "Sum";
}

/** A number that CloudWatch makes of several metrics. */
export interface Expression {
    /** In its metric maths, over the names of the metrics. */
    expression: string;
    metrics: Readonly<Record<string, Metric>>;
}

/** What it means when nothing is reported, and so how an alarm takes it. */
export const MISSING_DATA = {
    /** Whatever reports that it lives, and does not, does not live. */
    heartbeat: "breaching",
    /** Where nothing happens, nothing is counted. */
    count: "notBreaching",
    /** A level that is not measured is unknown. Whether what is measured lives is another alarm's to tell. */
    level: "missing",
} as const;

/** Maintenance of section 5.1 in which something is expected to look broken. */
export type MaintenanceWindow = "patches" | "database" | "upgrade";

/** One alarm, as data. */
export interface Alarm {
    /** Stable name. The alarm's own begins with the stack's: `mcp-production-database-down`. */
    id: string;
    severity: Severity;
    /** Incident that it is a part of: that one tells people. Of P1 and P2 always. Default: it tells people itself. */
    incident?: IncidentName;
    /** Id of an alarm that must ring as well before this one counts. Only of one with an incident. Default: none. */
    confirmedBy?: string;
    /** Whether it only confirms another, and by itself tells nobody. Default: false. */
    isCondition?: boolean;
    /** What is wrong when it rings, in a sentence. */
    meaning: string;
    /** What it mostly comes from. */
    cause: string;
    /** What mostly helps. */
    resolution: string;
    /** Id of the procedure in the catalogue to follow. */
    procedure: string;
    metric: Metric | Expression;
    /** Rings when what is watched is so for all of `periods` in a row. */
    comparison: ">" | ">=" | "<" | "<=";
    threshold: number;
    /** Length of one period, in minutes. */
    minutes: number;
    /** Default: 1. */
    periods?: number;
    missingData: keyof typeof MISSING_DATA;
    /** Windows whose own work sets it off: it tells nobody in them. Never of P1 or P2. Default: none. */
    mutedIn?: readonly MaintenanceWindow[];
}

/** How much of a total a part is, in percent; 0 where the total is too small to judge by. */
export function share(part: Metric, total: Metric, minimum: number): Expression {
    return { expression: `IF(total >= ${minimum}, 100 * part / total, 0)`, metrics: { part, total } };
}

/** When an alarm rings, in words: `Maximum of DatabaseConnections >= 1200 in each of 3 times 5 minutes`. */
export function conditionOf({ metric: watched, comparison, threshold, minutes, periods = 1 }: Alarm): string {
    const describe = ({ statistic, name }: Metric) => `${statistic} of ${name}`;
    const what =
        "expression" in watched
            ? watched.expression.replaceAll(/\b[a-z]\w*\b/g, (name) =>
                  name in watched.metrics ? describe(watched.metrics[name]!) : name,
              )
            : describe(watched);
    const span = formatMinutes(minutes);
    return `${what} ${comparison} ${threshold} in ${periods === 1 ? span : `each of ${periods} times ${span}`}`;
}

/** A span of minutes in words: `15 minutes`, `2 hours`. */
export function formatMinutes(minutes: number): string {
    const [count, unit] = minutes % 60 === 0 ? [minutes / 60, "hour"] : [minutes, "minute"];
    return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
