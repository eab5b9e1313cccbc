import { type Alarm, type Expression, formatMinutes } from "../alarm";
import { type IncidentName } from "../incidentGroups";

/** What a workload promises, and the share of its requests, in percent, that breaks the promise. */
export interface Objective {
    /** `mcp-server-availability`. */
    id: string;
    /** What fails, in words: "requests to MCP Server fail". */
    what: string;
    incident: IncidentName;
    /** Share that may break it, in percent: 0.1 for 99.9 %. */
    budget: number;
    share: Expression;
    /** What it means that nothing is counted. */
    missingData: Alarm["missingData"];
}

/**
 * How fast the month's budget is used up, over a long window and, so that the alarm ends soon, a short one. The numbers
 * are those of the SRE workbook: 2 % of the budget in an hour, and 5 % in six.
 */
const BURNS = [
    { id: "fast", rate: 14.4, long: 60, short: 5, severity: "P2" },
    { id: "slow", rate: 6, long: 360, short: 30, severity: "P3" },
] as const;

/** Budgets of errors that are used up too fast, beside the limits of the runbook. */
export function sloAlarms(objectives: readonly Objective[]): Alarm[] {
    return objectives.flatMap(({ id, what, incident, budget, share, missingData }) =>
        BURNS.flatMap(({ id: speed, rate, long, short, severity }): Alarm[] => {
            // A share cannot be more than all.
            const threshold = Math.min(Number((rate * budget).toFixed(4)), 99);
            const alarm = (minutes: number): Alarm => ({
                id: `slo-${id}-${speed}`,
                severity,
                incident,
                meaning: `${what} so often that the month's budget of ${budget} % is used up ${rate} times too fast.`,
                cause: "A release, a backend or a store is worse than it was.",
                resolution: "See since when on the dashboard; roll the release back if it began with it.",
                procedure: "high-error-rate",
                metric: share,
                comparison: ">",
                threshold,
                minutes,
                missingData,
            });
            const confirmation = `slo-${id}-${speed}-${short}m`;
            return [
                { ...alarm(long), confirmedBy: confirmation },
                {
                    ...alarm(short),
                    id: confirmation,
                    isCondition: true,
                    meaning: `${what} so often within ${formatMinutes(short)}, which confirms slo-${id}-${speed}.`,
                },
            ];
        }),
    );
}
