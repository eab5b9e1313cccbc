import { randomUUID } from "node:crypto";
import { chmodSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";

/** Replaces a file atomically and keeps its mode. */
export function replaceFile(file: string, text: string): void {
    const target = realpathSync(file);
    const temporary = `${target}.${randomUUID()}.tmp`;
    try {
        writeFileSync(temporary, text, { flush: true });
        // Set after writing, because the umask would narrow it at creation.
        chmodSync(temporary, statSync(target).mode);
        renameSync(temporary, target);
    } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
    }
}
