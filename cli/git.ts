import { spawnSync } from "node:child_process";

/** Exit status and output of git. */
export interface GitResult {
    /** Null without git. */
    readonly status: number | null;
    readonly stdout: string;
    readonly stderr: string;
    /** Why git could not start. */
    readonly error: Error | undefined;
}

/** Runs git in a folder; the output may be of any size. */
export function git(folder: string, ...args: string[]): GitResult {
    const options = { cwd: folder, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 } as const;
    // Without git there is no output, contrary to the types.
    const { status, stdout, stderr, error } = spawnSync("git", args, options) as Partial<
        ReturnType<typeof spawnSync>
    >;
    return { status: status ?? null, stdout: String(stdout ?? ""), stderr: String(stderr ?? ""), error };
}
