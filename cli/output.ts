import { printableText } from "../core/printable";
import { PLAIN, type Screen } from "../offline/layout";

/** Progress line on the terminal. */
export interface Progress {
    step(text: string): void;
    stop(): void;
}

let progress: Progress | undefined;

/** Lets {@link step} show its texts until something is printed. */
export function showSteps(by: Progress | undefined): void {
    progress = by;
}

/** Shows the current step on a terminal, if it takes more than a second. */
export function step(text: string): void {
    progress?.step(text);
}

/** Prints to standard output, with control characters of foreign text escaped. */
export function print(text: string): void {
    progress?.stop();
    process.stdout.write(printableText(text));
}

/** Prints to standard error, escaped likewise. */
export function printError(text: string): void {
    progress?.stop();
    process.stderr.write(printableText(text));
}

/** Minimum layout width; a narrower terminal wraps by itself. */
const LEAST_WIDTH = 60;

/** The terminal where lines can be written over; undefined for a pipe, and for a terminal that cannot. */
export function liveScreen(): Screen | undefined {
    return process.stdout.isTTY && process.env["TERM"] !== "dumb" ? screen() : undefined;
}

/**
 * Target of standard output. FORCE_COLOR enables and NO_COLOR disables colours; by default, only a terminal has them.
 */
export function screen(): Screen {
    const { isTTY, columns } = process.stdout;
    const { FORCE_COLOR: forced, NO_COLOR: refused, TERM } = process.env;
    const colour =
        forced === undefined ? isTTY && !refused && TERM !== "dumb" : !["", "0", "false"].includes(forced);
    // A terminal may report no width, or 0.
    return { width: Math.max(LEAST_WIDTH, (isTTY && columns) || PLAIN.width), colour };
}
