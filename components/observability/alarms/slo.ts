import { type Alarm, type Expression, formatMinutes } from "../alarm";
import { type IncidentName } from "../incidentGroups";

/** An objective of a workload, and the metric of its failures. */
export interface Objective {
    /** `mcp-server-availability`. */
    id: string;
    /** What fails, in words: "requests to MCP Server fail". */
    what: string;
    incident: IncidentName;
    /** Error budget, in percent: 0.1 for 99.9 %. */
    budget: number;
    share: Expression;
    /** What missing data means. */
    missingData: Alarm["missingData"];
}

/**
 * Burn rates of the month's error budget, over a long and a short window; the short one ends the alarm soon. The
 * numbers are those of the SRE workbook: 2 % of the budget in an hour, and 5 % in six.
 */
const BURNS = [
    { id: "fast", rate: 14.4, long: 60, short: 5, severity: "P2" },
    { id: "slow", rate: 6, long: 360, short: 30, severity: "P3" },
] as const;

/** Error budgets that are used up too fast, in addition to the runbook's limits. */
export function sloAlarms(objectives: readonly Objective[]): Alarm[] {
    return objectives.flatMap(({ id, what, incident, budget, share, missingData }) =>
        BURNS.flatMap(({ id: speed, rate, long, short, severity }): Alarm[] => {
            // A share cannot exceed 100 %.
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
