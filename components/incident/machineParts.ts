/** Keys of an OpsItem's operational data; AWS keeps those that begin with its own names for itself. */
export const RECORD = {
    /** What its alarm says: what is wrong, the likely cause, what helps, the procedure, the first command. */
    about: "about",
    /** How soon somebody must respond. Section 4.1. */
    response: "response",
    /** The command that acknowledges it. */
    acknowledge: "acknowledge",
    /** Who helps from outside. Section 8.2. */
    external: "external-contacts",
    /** What became of one level. Section 8.1. */
    level: (level: string) => `escalation-${level}`,
    /** How the escalation ended. */
    end: "escalation-end",
    /** What is due when it is over. Section 4.2. */
    postMortem: "post-mortem",
} as const;

/** Whatever it is, it is tried again for a minute or so: nobody else will. */
const RETRY = [
    {
        ErrorEquals: ["States.ALL"],
        IntervalSeconds: 5,
        MaxAttempts: 4,
        BackoffRate: 2,
        JitterStrategy: "FULL",
    },
];

/** Where a task goes on that failed, for all its retries. */
export const otherwise = (next: string, rest: object = {}) => [
    { ErrorEquals: ["States.ALL"], Next: next, ...rest },
];

/** Calls AWS, again where it fails. */
export function call(resource: string, args: object, rest: object): object {
    return { Type: "Task", Resource: `arn:aws:states:::${resource}`, Arguments: args, Retry: RETRY, ...rest };
}

/** Reads the OpsItem whose id is in `$id`. */
export function look(rest: object): object {
    return call("aws-sdk:ssm:getOpsItem", { OpsItemId: "{% $id %}" }, rest);
}

/**
 * Writes on the OpsItem whose id is in `$id`; values are JSONata. A record that cannot be written stops nothing:
 * what follows matters more.
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

/** A text in JSONata. */
export function quoted(text: string): string {
    return JSON.stringify(text);
}
