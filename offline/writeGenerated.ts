import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Writes generated files, by path below a folder. Returns a line with their number and the changed ones. */
export function writeGenerated(folder: string, files: ReadonlyMap<string, string>): string {
    const changed = [...files].filter(([file, content]) => {
        const path = join(folder, file);
        const differs = !existsSync(path) || readFileSync(path, "utf8") !== content;
        if (differs) {
            mkdirSync(dirname(path), { recursive: true });
            writeFileSync(path, content);
        }
        return differs;
    });
    const names = changed.length === 0 ? "" : `: ${changed.map(([file]) => file).join(", ")}`;
    return `Wrote ${files.size} files, ${changed.length} changed${names}.`;
}
