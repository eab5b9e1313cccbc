import { spawnSync } from "node:child_process";

/** How git ended, and what it printed. */
export interface GitResult {
    /** Null where there is no git. */
    readonly status: number | null;
    readonly stdout: string;
    readonly stderr: string;
    /** Why git could not be started. */
    readonly error: Error | undefined;
}

/** Runs git in a folder; what it prints is text of any size. */
export function git(folder: string, ...args: string[]): GitResult {
    const options = { cwd: folder, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 } as const;
    // Without git there is no output, whatever the types say.
    const { status, stdout, stderr, error } = spawnSync("git", args, options) as Partial<
        ReturnType<typeof spawnSync>
    >;
    return { status: status ?? null, stdout: String(stdout ?? ""), stderr: String(stderr ?? ""), error };
}
