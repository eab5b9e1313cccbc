import { type Severity } from "../../core/numbers";
import { type IncidentName } from "./incidentGroups";

/** A CloudWatch metric and its statistic. */
export interface Metric {
    namespace: string;
    name: string;
    /** Exactly the published dimensions: other dimensions are another metric, without data. */
    dimensions: Readonly<Record<string, string>>;
    statistic: "Average" | "Maximum" | "Minimum" | "Sum";
}

/** Metric maths over several metrics. */
export interface Expression {
    /** The expression, over the metrics' names. */
    expression: string;
    metrics: Readonly<Record<string, Metric>>;
}

/** What missing data means, and how an alarm treats it. */
export const MISSING_DATA = {
    /** A heartbeat: missing data means that the source is down. */
    heartbeat: "breaching",
    /** A count: without events, there is no data. */
    count: "notBreaching",
    /** A level: missing data means unknown. Another alarm checks that the source reports. */
    level: "missing",
} as const;

/** Maintenance of section 5.1 that is expected to trigger alarms. */
export type MaintenanceWindow = "patches" | "database" | "upgrade";

/** One alarm, as data. */
export interface Alarm {
    /** Stable name. The stack's name is its prefix: `mcp-production-database-down`. */
    id: string;
    severity: Severity;
    /**
     * Incident that it is a part of, which notifies and escalates. Required for P1 and P2. Default: the alarm notifies
     * by itself.
     */
    incident?: IncidentName;
    /** Id of an alarm that must also fire before this one counts. Only with an incident. Default: none. */
    confirmedBy?: string;
    /** Whether it only confirms another alarm and has no actions. Default: false. */
    isCondition?: boolean;
    /** What is wrong when it fires, in a sentence. */
    meaning: string;
    /** The usual cause. */
    cause: string;
    /** The usual remedy. */
    resolution: string;
    /** Id of the catalogue's procedure to follow. */
    procedure: string;
    metric: Metric | Expression;
    /** It fires when the comparison holds in all of `periods` in a row. */
    comparison: ">" | ">=" | "<" | "<=";
    threshold: number;
    /** Length of one period, in minutes. */
    minutes: number;
    /** Default: 1. */
    periods?: number;
    missingData: keyof typeof MISSING_DATA;
    /** Maintenance windows that trigger it, in which its actions are muted. Not for P1 and P2. Default: none. */
    mutedIn?: readonly MaintenanceWindow[];
}

/** A part of a total, in percent; 0 if the total is too small to evaluate. */
export function share(part: Metric, total: Metric, minimum: number): Expression {
    return { expression: `IF(total >= ${minimum}, 100 * part / total, 0)`, metrics: { part, total } };
}

/** The condition of an alarm, in words: `Maximum of DatabaseConnections >= 1200 in each of 3 times 5 minutes`. */
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

/** A duration in words: `15 minutes`, `2 hours`. */
export function formatMinutes(minutes: number): string {
    const [count, unit] = minutes % 60 === 0 ? [minutes / 60, "hour"] : [minutes, "minute"];
    return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
