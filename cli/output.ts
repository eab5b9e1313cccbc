import { printableText } from "../core/printable";

/** Prints to standard output. What a stack file, a cluster or a server says is shown, and never obeyed by a terminal. */
export function print(text: string): void {
    process.stdout.write(printableText(text));
}

/** The same to standard error. */
export function printError(text: string): void {
    process.stderr.write(printableText(text));
}
