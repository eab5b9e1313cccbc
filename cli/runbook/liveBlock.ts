import { printableText } from "../../core/printable";

/** Lines at the end of a terminal that are written over: what is printed meanwhile goes above them. */
export class LiveBlock {
    private shown = 0;
    private lines: readonly string[] = [];

    constructor(private readonly write: (text: string) => void) {}

    /** Shows these lines in place of those before. None may be wider than the terminal. */
    show(lines: readonly string[]): void {
        this.lines = lines.map(printableText);
        this.write(`${this.clearing()}${this.lines.map((line) => `${line}\n`).join("")}`);
        this.shown = this.lines.length;
    }

    /** Prints a line above them. */
    print(line: string): void {
        const below = this.lines.map((each) => `${each}\n`).join("");
        this.write(`${this.clearing()}${printableText(line)}\n${below}`);
        this.shown = this.lines.length;
    }

    private clearing(): string {
        return this.shown === 0 ? "" : `\u001b[${this.shown}A\u001b[J`;
    }
}
