/** Input a gate cannot work with: where it stands, what was found and what is expected there. */
export class ValidationError extends Error {
    constructor(
        readonly path: string,
        readonly found: string,
        readonly expected: string,
    ) {
        super(`${path || "the plan"}: found ${found}, expected ${expected}`);
    }
}

/** Checks one value of a plan; throws {@link ValidationError}. */
export type Parser<T> = (value: unknown, path: string) => T;

/** A text, not empty unless told otherwise. */
export const text: Parser<string> = (value, path) => {
    if (typeof value !== "string" || value === "") {
        throw new ValidationError(path, found(value), "a text");
    }
    return value;
};

/** A text that may be empty. Never shown, as it may be long or secret. */
export const anyText: Parser<string> = (value, path) => {
    if (typeof value !== "string") {
        throw new ValidationError(path, kind(value), "a text");
    }
    return value;
};

/** A text of a certain form, described in words. */
export function pattern(form: RegExp, expected: string): Parser<string> {
    return (value, path) => {
        if (typeof value !== "string" || !form.test(value)) {
            throw new ValidationError(path, found(value), expected);
        }
        return value;
    };
}

/** Name of an object in Kubernetes. */
export const objectName = pattern(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, "a name of a Kubernetes object");

/** ARN of an SNS topic. */
export const topicArn = pattern(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+$/, "the ARN of an SNS topic");

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number): Parser<number> {
    return (value, path) => {
        if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
            throw new ValidationError(path, found(value), `a whole number from ${min} to ${max}`);
        }
        return value;
    };
}

/** A number within bounds. */
export function number(min: number, max: number): Parser<number> {
    return (value, path) => {
        if (typeof value !== "number" || !(value >= min && value <= max)) {
            throw new ValidationError(path, found(value), `a number from ${min} to ${max}`);
        }
        return value;
    };
}

/** True or false. */
export const flag: Parser<boolean> = (value, path) => {
    if (typeof value !== "boolean") {
        throw new ValidationError(path, found(value), "true or false");
    }
    return value;
};

/** One of a few texts. */
export function oneOf<T extends string>(...texts: T[]): Parser<T> {
    return (value, path) => {
        const chosen = texts.find((candidate) => candidate === value);
        if (chosen === undefined) {
            throw new ValidationError(path, found(value), texts.join(" or "));
        }
        return chosen;
    };
}

/** A time in seconds. At most a day: timers beyond 24 days fire at once. */
export const seconds: Parser<number> = (value, path) => {
    if (typeof value !== "number" || !(value > 0 && value <= 86_400)) {
        throw new ValidationError(path, found(value), "seconds, more than 0 and at most 86400");
    }
    return value;
};

/** What an exact comparison can be made with. */
export const scalar: Parser<string | number | boolean | null> = (value, path) => {
    if (value === undefined || (typeof value === "object" && value !== null)) {
        throw new ValidationError(path, kind(value), "a text, number, true, false or null");
    }
    return value as string | number | boolean | null;
};

/** A value that may be missing. */
export function optional<T>(read: Parser<T>): Parser<T | undefined> {
    return (value, path) => (value === undefined ? undefined : read(value, path));
}

/** By the first way what has this key, and by the other what has it not. */
export function either<One, Other>(key: string, one: Parser<One>, other: Parser<Other>): Parser<One | Other> {
    return (value, path) =>
        typeof value === "object" && value !== null && key in value ? one(value, path) : other(value, path);
}

/** A list that is not empty: a gate that checks nothing must not pass. */
export function list<T>(read: Parser<T>): Parser<T[]> {
    return (value, path) => {
        if (!Array.isArray(value) || value.length === 0) {
            throw new ValidationError(
                path,
                Array.isArray(value) ? "an empty list" : kind(value),
                "a list of at least one",
            );
        }
        return value.map((item, index) => read(item, `${path}[${index}]`));
    };
}

/** An object with keys of any name; `readKey` may refuse some. */
export function record<T>(read: Parser<T>, readKey: Parser<string> = anyText): Parser<Record<string, T>> {
    return (value, path) =>
        Object.fromEntries(
            Object.entries(plainObject(value, path)).map(([key, item]) => {
                const at = below(path, key);
                return [readKey(key, at), read(item, at)];
            }),
        );
}

/** An object with these keys and no others: a misspelt expectation must not go unchecked. */
export function shape<T extends object>(fields: { [K in keyof T]-?: Parser<T[K]> }): Parser<T> {
    const names = Object.keys(fields) as (keyof T & string)[];
    return (value, path) => {
        const object = plainObject(value, path);
        const unknown = Object.keys(object).find((key) => !Object.hasOwn(fields, key));
        if (unknown !== undefined) {
            throw new ValidationError(below(path, unknown), "an unknown key", `one of ${names.join(", ")}`);
        }
        return Object.fromEntries(
            names.map((name) => [name, fields[name](object[name], below(path, name))]),
        ) as T;
    };
}

/** A part that has a parser of its own; what that refuses is told with the part's place in the whole. */
export function part<T>(parse: (raw: unknown) => T): Parser<T> {
    return (value, path) => {
        try {
            return parse(value);
        } catch (error) {
            if (!(error instanceof ValidationError)) throw error;
            const inner = error.path.startsWith("[") ? error.path : error.path && `.${error.path}`;
            throw new ValidationError(path + inner, error.found, error.expected);
        }
    };
}

/** What sort of value it is, without showing it. */
export function kind(value: unknown): string {
    if (value === undefined) return "nothing";
    if (value === null) return "null";
    if (Array.isArray(value)) return "a list";
    return (
        { string: "a text", number: "a number", boolean: "true or false" }[typeof value as string] ??
        "an object"
    );
}

function found(value: unknown): string {
    if (value === undefined || typeof value === "object") {
        return kind(value);
    }
    const shown = JSON.stringify(value);
    return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
}

function plainObject(value: unknown, path: string): Record<string, unknown> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new ValidationError(path, kind(value), "an object");
    }
    return value as Record<string, unknown>;
}

function below(path: string, key: string): string {
    if (!/^[\w-]+$/.test(key)) {
        return `${path}[${JSON.stringify(key)}]`;
    }
    return path === "" ? key : `${path}.${key}`;
}
