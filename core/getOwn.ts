/** A record's own property. Names come from a file: `constructor` must not return JavaScript's. */
export function getOwn<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
    return Object.hasOwn(record, key) ? record[key] : undefined;
}
