/** A value that is known only after the update. */
export const UNKNOWN = Symbol("unknown");

/** Thrown when a rule reads a value that is not known yet: the rule is then undetermined, not passed. */
export class Undetermined extends Error {
    constructor(what: string, reason = "is known only after the update") {
        const { stackTraceLimit } = Error;
        // Rules meet it thousands of times, and nothing shows where.
        Error.stackTraceLimit = 0;
        super(`${what} ${reason}`);
        Error.stackTraceLimit = stackTraceLimit;
    }
}

/** The result of a read, or a replacement if it reads an unknown value. */
export function orElse<T>(read: () => T, otherwise: (unknown: Undetermined) => T): T {
    try {
        return read();
    } catch (error) {
        if (error instanceof Undetermined) {
            return otherwise(error);
        }
        throw error;
    }
}

/** Data for rules: reading an unknown value in it throws {@link Undetermined}. */
// Rules walk the properties of every resource type there is, which have no common type to check against.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Properties = Record<string, any>;

/** Wraps data so that reading an unknown value in it throws. */
export function trapUnknowns(value: Properties, path: readonly string[] = []): Properties {
    return new Proxy(value, {
        get(target, key) {
            const inner: unknown = Reflect.get(target, key);
            if (inner === UNKNOWN) {
                throw new Undetermined([...path, String(key)].join("."));
            }
            const isData = typeof inner === "object" && inner !== null;
            return isData ? trapUnknowns(inner, [...path, String(key)]) : inner;
        },
    });
}
