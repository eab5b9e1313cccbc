import { type Alarm } from "../alarm";

/** Arguments of {@link escalationAlarms}. */
export interface EscalationAlarmsArgs {
    /** ARNs of the escalation's state machine, and of the one that starts it. */
    escalationArn: string;
    incidentsArn: string;
}

/**
 * Failures of the escalation, which itself notifies the contacts of P1 when it fails. P3: an alarm that opens an
 * incident would be escalated by what has just failed. Sections 4.2 and 8.1.
 */
export function escalationAlarms({ escalationArn, incidentsArn }: EscalationAlarmsArgs): Alarm[] {
    const resolution =
        "Call the levels of section 8.1 by hand for every open OpsItem; then check the last executions of the " +
        "state machine.";
    const ended = (
        id: string,
        metric: "ExecutionsFailed" | "ExecutionsTimedOut",
        stateMachineArn: string,
        words: Pick<Alarm, "meaning" | "cause">,
    ): Alarm => ({
        id,
        severity: "P3",
        ...words,
        resolution,
        procedure: "escalation",
        metric: {
            namespace: "AWS/States",
            name: metric,
            dimensions: { StateMachineArn: stateMachineArn },
            statistic: "Sum",
        },
        comparison: ">",
        threshold: 0,
        minutes: 5,
        missingData: "count",
    });
    return [
        ended("escalation-failed", "ExecutionsFailed", escalationArn, {
            meaning: "An escalation ended and no level acknowledged.",
            cause: "All four levels were called and none acknowledged, or none could be notified.",
        }),
        ended("escalation-timed-out", "ExecutionsTimedOut", escalationArn, {
            meaning: "An escalation was still running after a day.",
            cause: "The times of its levels add up to more than a day.",
        }),
        ended("incidents-failed", "ExecutionsFailed", incidentsArn, {
            meaning: "An incident was opened or resolved, and what is due then did not happen.",
            cause: "Its OpsItem could not be read, or the escalation could not be started: a role was changed.",
        }),
        ended("incidents-timed-out", "ExecutionsTimedOut", incidentsArn, {
            meaning: "What is due when an incident is opened or resolved took too long.",
            cause: "AWS refuses or delays the calls.",
        }),
    ];
}
