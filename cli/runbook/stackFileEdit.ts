import { existsSync, readFileSync } from "node:fs";
import { replaceFile } from "../images/replaceFile";

/**
 * The edits of one run in the stack file, which are reverted if its update does not begin, or fails and is rolled back.
 */
export class StackFileEdit {
    private readonly before: string;
    private after: string | undefined;

    constructor(private readonly file: string) {
        this.before = this.text();
    }

    /** Marks all edits as written. */
    finish(): void {
        this.after = this.text();
    }

    /** Whether something else changed the file since, for example another run in the same checkout. */
    get overtaken(): boolean {
        return this.after !== undefined && this.text() !== this.after;
    }

    /** Restores the file, unless something else changed it. */
    undo(): void {
        if (!this.overtaken) this.restore();
    }

    /** Restores the file in any case. */
    restore(): void {
        if (existsSync(this.file) && this.text() !== this.before) {
            replaceFile(this.file, this.before);
        }
    }

    private text(): string {
        return existsSync(this.file) ? readFileSync(this.file, "utf8") : "";
    }
}
