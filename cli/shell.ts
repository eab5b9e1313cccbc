/** A text as one word for a shell, quoted only if it has to be. */
export function shellWord(text: string): string {
    return /^[\w.:/-]+$/.test(text) ? text : shellQuoted(text);
}

/** Quotes a text as one word for a shell. */
export function shellQuoted(text: string): string {
    return `'${text.replaceAll("'", `'\\''`)}'`;
}
