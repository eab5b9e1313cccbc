import * as z from "zod/mini";

/** A problem of a plan's value. */
export interface Problem {
    /** Path of the value: "requests[0].path". Empty for the plan itself. */
    path: string;
    /** The value found, without secrets. */
    found: string;
    expected: string;
}

/** An invalid plan, with all problems. */
export class ValidationError extends Error {
    readonly problems: readonly Problem[];

    constructor(...problems: Problem[]) {
        super(
            problems
                .map(
                    ({ path, found, expected }) =>
                        `${path || "the plan"}: found ${found}, expected ${expected}`,
                )
                .join("; "),
        );
        this.problems = problems;
    }
}

/** Parameters of a custom issue. */
interface IssueParams {
    /** Replacement of the value, which may be secret. */
    found?: string;
    /** Whether to show the kind of the value instead of the value. */
    hidden?: boolean;
}

/** A non-empty text. */
export const text = z.string().check(z.minLength(1, "a text"));

/** A text, perhaps empty. Never shown, because it may be long or secret. */
export const anyText = z.custom<string>((value) => typeof value === "string", {
    error: "a text",
    params: { hidden: true },
});

/** A text of a pattern, described by `expected`. */
export function pattern(form: RegExp, expected: string) {
    return z.string(expected).check(z.regex(form, expected));
}

/** A text with a condition; what to show instead, if it may be secret. */
export function textWhere(condition: (value: string) => boolean, expected: string, params: IssueParams = {}) {
    return z.custom<string>((value) => typeof value === "string" && condition(value), {
        error: expected,
        params,
    });
}

/** Name of a Kubernetes object. */
export const objectName = pattern(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, "a name of a Kubernetes object");

/** ARN of an SNS topic. */
export const topicArn = pattern(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+$/, "the ARN of an SNS topic");

/** A path of an HTTP server. */
export const httpPath = pattern(/^\//, "a path that starts with /");

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number) {
    const expected = `a whole number from ${min} to ${max}`;
    return z.int(expected).check(z.gte(min, expected), z.lte(max, expected));
}

/** A number within bounds. */
export function number(min: number, max: number) {
    const expected = `a number from ${min} to ${max}`;
    return z.number(expected).check(z.gte(min, expected), z.lte(max, expected));
}

/** TCP port. */
export const port = wholeNumber(1, 65_535);

/** One of some texts. */
export function oneOf<const T extends readonly string[]>(...texts: T) {
    return z.enum(texts, texts.join(" or "));
}

const SECONDS = "seconds, more than 0 and at most 86400";

/** A duration in seconds, at most a day: timers beyond 24 days fire at once. */
export const seconds = z.number(SECONDS).check(z.gt(0, SECONDS), z.lte(86_400, SECONDS));

/** Values that can be compared exactly. */
export const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], {
    error: "a text, number, true, false or null",
});

/** A non-empty list: a gate that checks nothing must not pass. */
export function list<T extends z.ZodMiniType>(item: T) {
    const expected = "a list of at least one";
    return z.array(item, expected).check(z.minLength(1, expected));
}

/** One of several objects, selected by the value of a key. */
export function variants<
    Key extends string,
    const Options extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]],
>(key: Key, options: Options) {
    const values = options.flatMap(({ _zod: { propValues } }) => [...(propValues?.[key] ?? [])]);
    return z.discriminatedUnion(key, options, {
        error: ({ code }) => (code === "invalid_union" ? values.join(" or ") : undefined),
    });
}

/** Parses `raw` with the schema; throws {@link ValidationError} with all problems. */
export function parse<T extends z.ZodMiniType>(schema: T, raw: unknown): z.output<T> {
    const result = schema.safeParse(raw, { error: expectedBy });
    if (result.success) return result.data;
    const problems = result.error.issues.flatMap((issue) => problemsOf(issue, raw));
    // The first problem of a value is enough.
    throw new ValidationError(
        ...problems.filter(
            ({ path }, index) => problems.findIndex((problem) => problem.path === path) === index,
        ),
    );
}

/** Kind of a value, without its content. */
export function kind(value: unknown): string {
    if (value === undefined) return "nothing";
    if (value === null) return "null";
    if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
    return (
        { string: "a text", number: "a number", boolean: "true or false" }[typeof value as string] ??
        "an object"
    );
}

const KINDS: Readonly<Record<string, string>> = {
    object: "an object",
    record: "an object",
    array: "a list",
    string: "a text",
    number: "a number",
    boolean: "true or false",
};

/** The expectation, if the schema does not describe it. */
function expectedBy(issue: z.core.$ZodRawIssue): string | undefined {
    if (issue.code === "invalid_type") return KINDS[issue.expected];
    if (issue.code !== "unrecognized_keys") return undefined;
    const { shape = {} } = (issue.inst as { _zod: { def: { shape?: object } } })._zod.def;
    return `one of ${Object.keys(shape).join(", ")}`;
}

function problemsOf(issue: z.core.$ZodIssue, raw: unknown): Problem[] {
    const { message: expected } = issue;
    if (issue.code === "unrecognized_keys") {
        return issue.keys.map((key) => ({
            path: pathOf([...issue.path, key]),
            found: "an unknown key",
            expected,
        }));
    }
    if (issue.code === "invalid_union") {
        // If the keys match exactly one option, its problems are reported; otherwise those of all.
        const at = valueAt(raw, issue.path);
        const close = issue.errors.find((issues) =>
            issues.every(
                ({ code, path }) =>
                    code !== "unrecognized_keys" && path.length > 0 && valueAt(at, path) !== undefined,
            ),
        );
        if (close !== undefined && close.length > 0) {
            return close.flatMap((inner) =>
                problemsOf({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, raw),
            );
        }
    }
    // Problems of a record's key are separate issues.
    const inner = issue.code === "invalid_key" ? issue.issues[0]! : issue;
    const { found, hidden = false } = ((inner.code === "custom" && inner.params) || {}) as IssueParams;
    const value = valueAt(raw, issue.path);
    return [
        {
            path: pathOf(issue.path),
            found:
                hidden || (found !== undefined && typeof value !== "string")
                    ? kind(value)
                    : (found ?? shown(value)),
            expected: inner.message,
        },
    ];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
    return path.reduce<unknown>((at, key) => (Object(at) as Record<PropertyKey, unknown>)[key], value);
}

function shown(value: unknown): string {
    if (value === undefined || typeof value === "object") return kind(value);
    const text = JSON.stringify(value);
    return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function pathOf(path: readonly PropertyKey[]): string {
    return path.reduce<string>((whole, key) => {
        if (typeof key === "number") return `${whole}[${key}]`;
        const name = String(key);
        if (!/^[\w-]+$/.test(name)) return `${whole}[${JSON.stringify(name)}]`;
        return whole === "" ? name : `${whole}.${name}`;
    }, "");
}
