/** Keys of an OpsItem's operational data. AWS reserves its own prefixes. */
export const RECORD = {
    /** From the alarm: meaning, likely cause, resolution, procedure, first command. */
    about: "about",
    /** Response time. Section 4.1. */
    response: "response",
    /** The command that acknowledges the OpsItem. */
    acknowledge: "acknowledge",
    /** External support. Section 8.2. */
    external: "external-contacts",
    /** Result of one level. Section 8.1. */
    level: (level: string) => `escalation-${level}`,
    /** End of the escalation. */
    end: "escalation-end",
    /** Post-mortem, due after the incident. Section 4.2. */
    postMortem: "post-mortem",
} as const;

/** Retries any error for about a minute. */
const RETRY = [
    {
        ErrorEquals: ["States.ALL"],
        IntervalSeconds: 5,
        MaxAttempts: 4,
        BackoffRate: 2,
        JitterStrategy: "FULL",
    },
];

/** Next state of a task that failed after all retries. */
export const otherwise = (next: string, rest: object = {}) => [
    { ErrorEquals: ["States.ALL"], Next: next, ...rest },
];

/** Calls AWS, with retries. */
export function call(resource: string, args: object, rest: object): object {
    return { Type: "Task", Resource: `arn:aws:states:::${resource}`, Arguments: args, Retry: RETRY, ...rest };
}

/** Reads the OpsItem whose id is in `$id`. */
export function readOpsItem(rest: object): object {
    return call("aws-sdk:ssm:getOpsItem", { OpsItemId: "{% $id %}" }, rest);
}

/**
 * Writes to the OpsItem whose id is in `$id`; values are JSONata. A failed write does not stop the execution, because
 * the next states matter more.
 */
export function write(records: Record<string, string>, next: string): object {
    return call(
        "aws-sdk:ssm:updateOpsItem",
        {
            OpsItemId: "{% $id %}",
            OperationalData: Object.fromEntries(
                Object.entries(records).map(([key, value]) => [
                    key,
                    { Type: "SearchableString", Value: `{% ${value} %}` },
                ]),
            ),
        },
        { Next: next, Catch: otherwise(next) },
    );
}

/** A JSONata string literal. */
export function quoted(text: string): string {
    return JSON.stringify(text);
}
