/**
 * Whether CloudWatch's filter pattern matches an event, for the part of the language that the program uses: terms that
 * must all be there, and comparisons of JSON fields, and `NOT EXISTS`, with `&&`, `||` and parentheses.
 *
 * @throws when the pattern is of another part of it.
 */
export function matchesPattern(pattern: string, message: string): boolean {
    const json = /^\{(.*)\}$/s.exec(pattern.trim());
    if (json !== null) {
        return matchesJson(json[1]!, message);
    }
    if (/[?%[\]]|(^|\s)-/.test(pattern)) {
        throw new Error(`not in this part of the language: ${pattern}`);
    }
    const terms = Array.from(pattern.matchAll(/"([^"]*)"|(\S+)/g), ([, phrase, word]) => phrase ?? word!);
    return terms.every((term) => message.includes(term));
}

const TOKEN = /\s*(&&|\|\||[()]|!=|>=|<=|=|>|<|"[^"]*"|[^\s()=!<>&|]+)/gy;

function matchesJson(pattern: string, message: string): boolean {
    const event = parsed(message);
    const tokens = Array.from(pattern.matchAll(TOKEN), ([, token]) => token!);
    if (tokens.join("") !== pattern.replace(/"[^"]*"|\s+/g, (part) => (part.startsWith('"') ? part : ""))) {
        throw new Error(`not a pattern: {${pattern}}`);
    }
    const expect = (wanted: string) => {
        const token = tokens.shift();
        if (token !== wanted) {
            throw new Error(`expected ${wanted} in {${pattern}}, found ${token}`);
        }
    };
    const either = (): boolean => {
        let holds = both();
        while (tokens[0] === "||") {
            tokens.shift();
            holds = both() || holds;
        }
        return holds;
    };
    const both = (): boolean => {
        let holds = one();
        while (tokens[0] === "&&") {
            tokens.shift();
            holds = one() && holds;
        }
        return holds;
    };
    const one = (): boolean => {
        if (tokens[0] === "(") {
            tokens.shift();
            const holds = either();
            expect(")");
            return holds;
        }
        const [selector, operator, operand] = tokens.splice(0, 3);
        if (operator === "NOT" && operand === "EXISTS") {
            return valueAt(event, selector!) === undefined;
        }
        return compares(valueAt(event, selector!), operator!, operand!);
    };
    const holds = either();
    if (tokens.length > 0) {
        throw new Error(`expected the end of {${pattern}}, found ${tokens[0]}`);
    }
    return holds;
}

/** An event that is no JSON object has no fields. */
function parsed(message: string): unknown {
    try {
        return JSON.parse(message);
    } catch {
        return undefined;
    }
}

function valueAt(event: unknown, selector: string): unknown {
    if (!/^\$(\.\w+|\[\d+\])+$/.test(selector)) {
        throw new Error(`not a selector: ${selector}`);
    }
    return Array.from(selector.matchAll(/\w+/g), ([key]) => key).reduce<unknown>(
        (at, key) =>
            typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined,
        event,
    );
}

/** A field that is not there compares with nothing. */
function compares(value: unknown, operator: string, operand: string): boolean {
    if (value === undefined) {
        return false;
    }
    if (!operand.startsWith('"') && !Number.isNaN(Number(operand))) {
        const number = Number(operand);
        return typeof value === "number" && COMPARISONS[operator]!(value, number);
    }
    const text = operand.replace(/^"|"$/g, "");
    const pattern = text.split("*").map((part) => part.replace(/[.\\+?^${}()|[\]]/g, "\\$&"));
    const isEqual = typeof value === "string" && new RegExp(`^${pattern.join(".*")}$`, "s").test(value);
    if (operator !== "=" && operator !== "!=") {
        throw new Error(`${operator} compares numbers, found ${operand}`);
    }
    return isEqual === (operator === "=");
}

const COMPARISONS: Record<string, (one: number, other: number) => boolean> = {
    "=": (one, other) => one === other,
    "!=": (one, other) => one !== other,
    ">": (one, other) => one > other,
    ">=": (one, other) => one >= other,
    "<": (one, other) => one < other,
    "<=": (one, other) => one <= other,
};
