/** A copy with one place set to something else, or removed by undefined; keys are separated by spaces. */
export function edited(value: unknown, path: string, replacement: unknown): unknown {
    return atKeys(value, path.split(" "), replacement);
}

function atKeys(value: unknown, [key, ...rest]: readonly string[], replacement: unknown): unknown {
    if (key === undefined) {
        return replacement;
    }
    const entries = { ...(value as Record<string, unknown> | undefined) };
    const inner = atKeys(entries[key], rest, replacement);
    if (inner === undefined) {
        delete entries[key];
    } else {
        entries[key] = inner;
    }
    return Array.isArray(value) ? Object.values(entries) : entries;
}
