import { styleText } from "node:util";

/** What text is laid out for. */
export interface Screen {
    /** Columns of the terminal. */
    readonly width: number;
    readonly colour: boolean;
}

/** A file, a pipe, or a terminal that tells nothing of itself. */
export const PLAIN: Screen = { width: 120, colour: false };

export type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

/** Colours text where the screen has colours. */
export function painter({ colour }: Screen): Paint {
    return (style, text) =>
        colour && text !== "" ? styleText(style, text, { validateStream: false }) : text;
}

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

/** A text cut to `width` columns; an ellipsis stands for the rest. */
export function cut(text: string, width: number): string {
    return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
