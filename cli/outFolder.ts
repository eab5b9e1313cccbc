import { existsSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { UsageError } from "../offline/usageError";

/**
 * Makes the folder that `--out` names, with those above it. One after the other: Node's own way never ends below a folder
 * in which none can be made, such as /proc.
 *
 * @throws UsageError where it cannot be made.
 */
export function makeOutFolder(path: string): void {
    const missing: string[] = [];
    for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) {
        missing.unshift(folder);
    }
    try {
        missing.forEach((folder) => mkdirSync(folder));
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        throw new UsageError(`--out: found ${path}, expected a folder that can be made (${code})`);
    }
}
