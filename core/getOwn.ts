/** A record's own value: names come from a file, and `constructor` there must not find JavaScript's. */
export function getOwn<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
    return Object.hasOwn(record, key) ? record[key] : undefined;
}
