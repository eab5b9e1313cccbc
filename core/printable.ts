/**
 * Characters that a terminal interprets or hides: control characters, and those that change the direction of text.
 * Joiners of Indic scripts and emoji are text.
 */
const UNPRINTABLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** ANSI sequences of `util.styleText`. */

const COLOUR = /(\u001b\[\d{1,2}m)/;

/** Escapes a foreign text for one line of output: `\u001b` for an escape character. */
export function printable(line: string): string {
    return line.replace(UNPRINTABLE, (character) => {
        const code = character.codePointAt(0)!.toString(16);
        return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
    });
}

/** The same for several lines, which may contain colours. */
export function printableText(text: string): string {
    return text
        .split("\n")
        .map((line) =>
            line
                .split(COLOUR)
                .map((part, index) => (index % 2 === 1 ? part : printable(part)))
                .join(""),
        )
        .join("\n");
}

/** Whether a text is safe to print; `allowed` are permitted control characters. */
export function isPrintable(text: string, allowed = ""): boolean {
    return Array.from(text.matchAll(UNPRINTABLE)).every(([character]) => allowed.includes(character));
}
