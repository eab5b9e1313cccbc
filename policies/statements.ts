import { type Properties } from "./unknown";

/** Statements of an AWS policy document with an effect. */
export function statementsOf(policy: unknown, effect: "Allow" | "Deny"): Properties[] {
    const statements = asList((parsed(policy) as Properties | undefined)?.["Statement"]) as Properties[];
    return statements.filter((statement) => statement["Effect"] === effect);
}

/** A document, as an object or JSON. */
export function parsed(policy: unknown): unknown {
    if (typeof policy !== "string") {
        return policy;
    }
    try {
        return JSON.parse(policy);
    } catch {
        // The provider's own check reports invalid JSON.
        return undefined;
    }
}

/** In an AWS policy document, a list of one may be a scalar. */
export function asList(value: unknown): unknown[] {
    return value == null ? [] : Array.isArray(value) ? value : [value];
}

/** Whether a statement of an AWS policy applies to every principal. */
export function isForAnyone({ Effect, Principal, NotPrincipal }: Properties): boolean {
    const named =
        typeof Principal === "object" && Principal !== null ? Object.values(Principal) : [Principal];
    return (
        (NotPrincipal !== undefined && Effect === "Allow") ||
        named.some((value) => asList(value).includes("*"))
    );
}

/** Condition keys that identify the caller or the resource. */
const NARROWING =
    /^(aws:(source(account|arn|orgid|owner|vpc|vpce|ip)|principal(account|arn|orgid|orgpaths|tag\/.+)|requesttag\/.+)|kms:(calleraccount|viaservice)|iam:passedtoservice|sts:externalid|.+:sub)$/i;

/** Whether a statement of an AWS policy is limited to named requests: conditions that always hold do not count. */
export function isConditional({ Condition }: Properties): boolean {
    return Object.entries((Condition ?? {}) as Properties).some(
        ([operator, tests]) =>
            /^(ForAnyValue:)?(String(Equals|Like)(IgnoreCase)?|Arn(Equals|Like)|IpAddress)$/.test(operator) &&
            Object.entries(tests as Properties).some(
                ([key, values]) =>
                    NARROWING.test(key) &&
                    asList(values).every((value) => !/^[*?]*$/.test(String(value)) && value !== "0.0.0.0/0"),
            ),
    );
}

/** Whether a statement denies an action without TLS to every principal. */
export function refusesPlaintext(deny: Properties, action: RegExp): boolean {
    const [secure] = asList(deny["Condition"]?.Bool?.["aws:SecureTransport"]);
    return (
        isForAnyone(deny) &&
        asList(deny["Action"]).some((found) => action.test(String(found))) &&
        String(secure) === "false"
    );
}
