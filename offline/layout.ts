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

/** A text cut to `width` columns; an ellipsis stands for the rest. */
export function cut(text: string, width: number): string {
    return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
