import { spawnSync } from "node:child_process";

/** Runs git in a folder; what it prints is text of any size. */
export function git(folder: string, ...args: string[]) {
    return spawnSync("git", args, { cwd: folder, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 });
}
