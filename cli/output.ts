import { printableText } from "../core/printable";
import { PLAIN, type Screen } from "../offline/layout";

/** The line on the terminal that says what takes its time. */
export interface Progress {
    step(text: string): void;
    stop(): void;
}

let progress: Progress | undefined;

/** Has {@link step} show its texts, until something is printed. */
export function showSteps(by: Progress | undefined): void {
    progress = by;
}

/** Says what the command does now, where there is a terminal and it takes more than a second. */
export function step(text: string): void {
    progress?.step(text);
}

/** Prints to standard output. What a stack file, a cluster or a server says is shown, and never obeyed by a terminal. */
export function print(text: string): void {
    progress?.stop();
    process.stdout.write(printableText(text));
}

/** The same to standard error. */
export function printError(text: string): void {
    progress?.stop();
    process.stderr.write(printableText(text));
}

/** Least columns that text is laid out for; a narrower terminal breaks the lines itself. */
const LEAST_WIDTH = 60;

/**
 * What standard output is shown on. FORCE_COLOR has colours everywhere, NO_COLOR nowhere; without both, a terminal has
 * them and a pipe has none.
 */
export function screen(): Screen {
    const { isTTY, columns } = process.stdout;
    const { FORCE_COLOR: forced, NO_COLOR: refused, TERM } = process.env;
    const colour =
        forced === undefined ? isTTY && !refused && TERM !== "dumb" : !["", "0", "false"].includes(forced);
    // A terminal may tell no width, or 0.
    return { width: Math.max(LEAST_WIDTH, (isTTY && columns) || PLAIN.width), colour };
}
