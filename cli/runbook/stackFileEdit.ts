import { existsSync, readFileSync } from "node:fs";
import { replaceFile } from "../images/replaceFile";

/** The edits of one run in the stack file, which go where its update does not begin, or fails and is taken back. */
export class StackFileEdit {
    private readonly before: string;
    private after: string | undefined;

    constructor(private readonly file: string) {
        this.before = this.text();
    }

    /** Says that all edits are in the file. */
    finish(): void {
        this.after = this.text();
    }

    /** Whether something else has changed the file since: another run in the same checkout. */
    get overtaken(): boolean {
        return this.after !== undefined && this.text() !== this.after;
    }

    /** Sets the file back to what it was, where nothing else has changed it meanwhile. */
    undo(): void {
        if (!this.overtaken) this.restore();
    }

    /** Sets the file back to what it was, whatever it is now. */
    restore(): void {
        if (existsSync(this.file) && this.text() !== this.before) {
            replaceFile(this.file, this.before);
        }
    }

    private text(): string {
        return existsSync(this.file) ? readFileSync(this.file, "utf8") : "";
    }
}
