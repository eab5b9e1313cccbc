import { isRecord } from "../../config/requiredInputs";
import { isObject, type Property, Secret, UNKNOWN } from "../../offline/property";

/** A property that is declared otherwise than it is. */
export interface Difference {
    path: string;
    found: unknown;
    /** Undefined where the program does not declare it, so that the update takes it away. */
    expected: unknown;
}

/** What an item of a list is known by, in Kubernetes' own order of preference. */
const ITEM_KEYS = ["name", "containerPort", "port", "host", "path", "ip"];

/**
 * What of the declared properties is different where it exists. What only an update can tell, and what is secret, is taken
 * for equal; what is not declared is left out.
 */
export function differences(declared: Property | undefined, live: unknown, path: string): Difference[] {
    if (declared === undefined || declared === UNKNOWN || declared instanceof Secret) {
        return [];
    }
    if (Array.isArray(declared)) {
        const items = declared as readonly Property[];
        const found = Array.isArray(live) ? (live as unknown[]) : [];
        const key = ITEM_KEYS.find((each) => items.length > 0 && items.every((item) => isNamed(item, each)));
        if (key === undefined) {
            const same = items.length === found.length;
            const inner = items.flatMap((item, index) =>
                differences(item, found[index], `${path}[${index}]`),
            );
            return same || inner.length > 0 ? inner : [{ path, found: live, expected: plain(declared) }];
        }
        return items.flatMap((item) => {
            const name = (item as Record<string, unknown>)[key];
            const other = found.find((each) => isRecord(each) && String(each[key]) === String(name));
            return differences(item, other, `${path}[${String(name)}]`);
        });
    }
    if (isObject(declared)) {
        if (!isRecord(live)) {
            return Object.keys(declared).length === 0 || plain(declared) === undefined
                ? []
                : [{ path, found: live, expected: plain(declared) }];
        }
        return Object.entries(declared).flatMap(([key, value]) =>
            differences(value, live[key], path === "" ? key : `${path}.${key}`),
        );
    }
    // The API writes some numbers as texts, and the other way round.
    return live !== undefined &&
        live !== null &&
        typeof live !== "object" &&
        String(live) === String(declared)
        ? []
        : live === undefined && (declared === false || declared === null)
          ? []
          : [{ path, found: live, expected: declared }];
}

/** A value of a message: short, and on one line. */
export function describeFound(value: unknown): string {
    if (value === undefined || value === null) {
        return "nothing";
    }
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

const LONGEST = 120;

/** Describes a difference as messages do. */
export function describeDifference({ path, found, expected }: Difference): string {
    return `${path}: found ${describeFound(found)}, expected ${describeFound(expected)}`;
}

function isNamed(item: Property, key: string): boolean {
    return isObject(item) && ["string", "number"].includes(typeof item[key]);
}

/** A property as plain JSON, without what is unknown or secret; undefined where nothing is left. */
function plain(value: Property): unknown {
    if (value === UNKNOWN || value instanceof Secret) {
        return undefined;
    }
    if (Array.isArray(value)) {
        return (value as readonly Property[]).map(plain);
    }
    if (isObject(value)) {
        const entries = Object.entries(value).flatMap(([key, inner]) => {
            const kept = plain(inner);
            return kept === undefined ? [] : [[key, kept] as const];
        });
        return entries.length === 0 && Object.keys(value).length > 0
            ? undefined
            : Object.fromEntries(entries);
    }
    return value;
}
