import { styleText } from "node:util";

/** Target of the layout. */
export interface Screen {
    /** Columns of the terminal. */
    readonly width: number;
    readonly colour: boolean;
}

/** A file, a pipe, or a terminal of unknown width. */
export const PLAIN: Screen = { width: 120, colour: false };

export type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

/** Colours a text, if the target supports colours. */
export function painter({ colour }: Screen): Paint {
    return (style, text) =>
        colour && text !== "" ? styleText(style, text, { validateStream: false }) : text;
}

/** Cuts a text to `width` columns, with an ellipsis. */
export function cut(text: string, width: number): string {
    return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
