/** Quotes a text as one word for a shell. */
export function shellQuoted(text: string): string {
    return `'${text.replaceAll("'", `'\\''`)}'`;
}
