/** A text whose words stay on one line: what it is folded with has to go through {@link joined} at the end. */
export function unbroken(text: string): string {
    return text.replaceAll(" ", NO_BREAK);
}

/** Lines as a text, in which what is unbroken has its spaces again. */
export function joined(lines: readonly string[]): string {
    return lines.join("\n").replaceAll(NO_BREAK, " ");
}

const NO_BREAK = "\u00a0";

/**
 * A text in lines of at most `width` columns, broken between words; a longer word is broken too. All lines but the first
 * begin with `indent`.
 */
export function fold(text: string, width: number, indent = ""): string[] {
    if (text.length <= width) {
        return [text];
    }
    const space = text.slice(0, width + 1).lastIndexOf(" ");
    // What the line begins with is no place to break it.
    const isBetweenWords = space > text.length - text.trimStart().length;
    const end = isBetweenWords ? space : width;
    const rest = text.slice(end).trimStart();
    return [text.slice(0, end).trimEnd(), ...fold(`${indent}${rest}`, width, indent)];
}

/** A list with commas, in lines of at most `width` columns that begin with `indent`; an item is not broken. */
export function list(items: readonly string[], width: number, indent: string): string[] {
    return items.reduce<string[]>((lines, item, index) => {
        const text = index < items.length - 1 ? `${item},` : item;
        const last = lines.at(-1);
        return last === undefined || last.length + 1 + text.length > width
            ? [...lines, `${indent}${text}`]
            : [...lines.slice(0, -1), `${last} ${text}`];
    }, []);
}

/**
 * A command of a shell in lines of at most `width` columns, which a shell reads as one. An option stays with its value.
 * A comment behind the command becomes a line before it.
 */
export function foldCommand(command: string, width: number): string[] {
    const [, text = "", comment] = /^(.*?)(?:\s+(# .*))?$/s.exec(command)!;
    const room = width - INDENT.length - BACKSLASH.length;
    const words = text.replaceAll(/\\\n\s*/g, " ").match(WORD) ?? [];
    const [first = "", ...others] = words
        // Text in double quotes is broken where it does not fit: a backslash is read there, too.
        .flatMap((word) => (word.length > room && word.startsWith('"') ? word.split(" ") : [word]))
        .reduce<string[]>((parts, word) => {
            const option = /^--?\w[\w-]*$/.exec(parts.at(-1) ?? "")?.[0];
            const pair = `${option} ${word}`;
            return option === undefined || /^[-|]/.test(word) || pair.length > room
                ? [...parts, word]
                : [...parts.slice(0, -1), pair];
        }, []);
    const lines = others.reduce<string[]>(
        (all, part) => {
            const line = `${all.at(-1)!} ${part}`;
            return line.length <= width - BACKSLASH.length
                ? [...all.slice(0, -1), line]
                : [...all, `${INDENT}${part}`];
        },
        [first],
    );
    return [
        ...(comment === undefined ? [] : fold(comment, width, "# ")),
        ...lines.map((line, index) => (index < lines.length - 1 ? `${line}${BACKSLASH}` : line)),
    ];
}

const INDENT = "  ";
const BACKSLASH = " \\";

/** A word of a shell, with the spaces that it has in quotes. */
const WORD = /(?:'[^']*'|"[^"]*"|[^\s'"])+/g;

/** Columns that a line of a generated document has at most. Tables are wider. */
export const MARKDOWN_WIDTH = 118;

/** Folds a text into lines. Code and links are not broken, and no line begins like a list or a heading. */
export function foldMarkdown(text: string, indent = ""): string[] {
    const kept = text
        .replaceAll(/`[^`]+`|\[[^\]]+\]\([^)]+\)/g, (piece) => unbroken(piece))
        .replaceAll(/ (?=(?:[-+*>#]+|\d+[.)]) )/g, (space) => unbroken(space));
    return joined(fold(kept, MARKDOWN_WIDTH, indent)).split("\n");
}
