import { type Alarm } from "../alarm";

/** Arguments of {@link escalationAlarms}. */
export interface EscalationAlarmsArgs {
    /** ARN of the state machine that calls people, and of the one that starts it for an incident. */
    escalationArn: string;
    incidentsArn: string;
}

/**
 * Calling for people, which tells the contacts of P1 by itself when it fails. P3: one that opened an incident would be
 * called for by what has just failed. Sections 4.2 and 8.1.
 */
export function escalationAlarms({ escalationArn, incidentsArn }: EscalationAlarmsArgs): Alarm[] {
    const resolution =
        "Call the levels of section 8.1 by hand for every OpsItem that is open; then look at the last executions of the state machine.";
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
            meaning: "An escalation ended with nobody having answered.",
            cause: "All four levels were called and none took the incident, or none could be told.",
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
