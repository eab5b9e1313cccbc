/**
 * Characters that a terminal obeys or hides instead of showing them: controls, and those that turn the direction of a
 * text. The joiners of Indic scripts and emoji are text.
 */
const UNPRINTABLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The sequences that colour text and end its colour, as `util.styleText` writes them. */

const COLOUR = /(\u001b\[\d{1,2}m)/;

/** Foreign text as one line that may be printed: `\u001b` in the place of an escape. */
export function printable(line: string): string {
    return line.replace(UNPRINTABLE, (character) => {
        const code = character.codePointAt(0)!.toString(16);
        return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
    });
}

/** The same for text of several lines, which may have colours. */
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

/** Whether a text is one that may be printed as it is; `allowed` are the controls that it may have. */
export function isPrintable(text: string, allowed = ""): boolean {
    return Array.from(text.matchAll(UNPRINTABLE)).every(([character]) => allowed.includes(character));
}
