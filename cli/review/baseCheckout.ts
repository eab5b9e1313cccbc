import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
    cpSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    renameSync,
    rmSync,
    symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ProjectSnapshot, readSnapshot } from "../../offline/snapshot";
import { UsageError } from "../../offline/stackFile";
import { git } from "../git";

/** Timeout for installing the base's packages, in milliseconds. */
const INSTALL_TIMEOUT = 10 * 60_000;

/**
 * Snapshot of the project in a folder, by the folder's own code in a child process that the signal ends. `others` are
 * another state's stacks as text, to be evaluated too; empty for none.
 */
export async function snapshotOf(
    folder: string,
    signal: AbortSignal,
    others?: Promise<string>,
): Promise<{ text: string; snapshot: ProjectSnapshot }> {
    // Commits from before the `cli` folder have another entry file.
    const main = existsSync(join(folder, "cli/main.cjs")) ? "cli/main.cjs" : "offline/main.cjs";
    const child = spawn(process.execPath, [main, "snapshot", ...(others === undefined ? [] : ["--judge"])], {
        cwd: folder,
        stdio: ["pipe", "pipe", "pipe"],
        signal,
    });
    const [parts, errors] = ["", ""].map((): string[] => []) as [string[], string[]];
    child.stdout.setEncoding("utf8").on("data", (part: string) => parts.push(part));
    child.stderr.setEncoding("utf8").on("data", (part: string) => errors.push(part));
    // Older code ends without reading the input.
    child.stdin.on("error", () => undefined);
    void (others ?? Promise.resolve("")).then((text) => child.stdin.end(text));
    const status = await new Promise<number | null>((done, fail) => {
        child.once("error", fail);
        child.once("close", done);
    });
    if (status !== 0) {
        throw new UsageError(lastLines(errors.join("")) || `it ended with ${status}`);
    }
    const text = parts.join("");
    return { text, snapshot: readSnapshot(text) };
}

/** A changed file. */
export interface ChangedFile {
    /** Below the project. */
    readonly path: string;
    /** Whether it is new. */
    readonly isNew: boolean;
    /** Added or changed lines of the head. */
    readonly lines: readonly number[];
}

/** The files that differ between a commit and the working tree; none if git fails. */
export function changedFiles(root: string, commit: string): ChangedFile[] {
    const files = new Map<string, { path: string; isNew: boolean; lines: number[] }>();
    let current: { path: string; isNew: boolean; lines: number[] } | undefined;
    const options = ["--unified=0", "--no-color", "--no-ext-diff", "--no-renames", "--relative"];
    for (const line of git(root, "-c", "core.quotePath=false", "diff", ...options, commit).stdout.split(
        "\n",
    )) {
        const [, path] = /^diff --git a\/(.*) b\/\1$/.exec(line) ?? [];
        const [, start, count = "1"] = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line) ?? [];
        if (path !== undefined) {
            current = { path, isNew: false, lines: [] };
            files.set(path, current);
        } else if (line.startsWith("new file mode") && current !== undefined) {
            current.isNew = true;
        } else if (start !== undefined) {
            current?.lines.push(
                ...Array.from({ length: Number(count) }, (_, index) => Number(start) + index),
            );
        }
    }
    const untracked = git(root, "-c", "core.quotePath=false", "ls-files", "--others", "--exclude-standard");
    for (const path of untracked.stdout.split("\n").filter((each) => each !== "")) {
        files.set(path, { path, isNew: true, lines: [] });
    }
    return [...files.values()];
}

/** The base state of the project, in a temporary folder until it is removed. */
export interface Base {
    folder: string;
    /** Commit that it is. */
    commit: string;
    remove(): void;
}

/**
 * Checks out the base of a change, the merge base with `ref`, without packages.
 *
 * @throws UsageError if there is no such commit.
 */
export function checkOut(root: string, ref: string): Base {
    const named = git(
        root,
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        `${ref}^{commit}`,
    ).stdout.trim();
    if (named === "") {
        throw new UsageError(
            `--base: found ${JSON.stringify(ref)}, expected a commit, branch or tag of this repository`,
        );
    }
    // A shallow clone may lack the merge base: then the base is the commit itself.
    const commit = git(root, "merge-base", named, "HEAD").stdout.trim() || named;
    const folder = mkdtempSync(join(tmpdir(), "mcp-base-"));
    const remove = () => {
        git(root, "worktree", "remove", "--force", folder);
        rmSync(folder, { recursive: true, force: true });
    };
    try {
        const added = git(root, "worktree", "add", "--detach", "--force", folder, commit);
        if (added.status !== 0) {
            throw new UsageError(lastLines(added.stderr));
        }
        return { folder, commit, remove };
    } catch (error) {
        remove();
        throw error;
    }
}

/**
 * Provides the packages of the base's lock file: this project's if they are the same, otherwise installed once.
 *
 * @throws UsageError if they cannot be installed.
 */
export function install(root: string, { folder }: Base): void {
    symlinkSync(packagesOf(root, folder), join(folder, "node_modules"));
}

function packagesOf(root: string, folder: string): string {
    const [own, base] = [root, folder].map((each) => {
        const file = join(each, "package-lock.json");
        return existsSync(file) ? readFileSync(file, "utf8") : undefined;
    });
    if (base === undefined) {
        throw new UsageError(
            "its packages cannot be installed: it has no package-lock.json",
            "Give a later commit as --base.",
        );
    }
    if (own === base) {
        return join(root, "node_modules");
    }
    const cache = join(root, "node_modules", ".cache", "mcp-base");
    const installed = join(cache, createHash("sha256").update(base).digest("hex").slice(0, 16));
    if (!existsSync(installed)) {
        mkdirSync(cache, { recursive: true });
        const aside = mkdtempSync(`${installed}-`);
        for (const file of ["package.json", "package-lock.json"]) {
            cpSync(join(folder, file), join(aside, file));
        }
        const { status, stderr, error } = spawnSync(
            "npm",
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            {
                cwd: aside,
                encoding: "utf8",
                timeout: INSTALL_TIMEOUT,
            },
        );
        if (status !== 0) {
            rmSync(aside, { recursive: true, force: true });
            throw new UsageError(`its packages cannot be installed: ${error?.message ?? lastLines(stderr)}`);
        }
        renameSync(aside, installed);
    }
    return join(installed, "node_modules");
}

/** The last lines of a command's output, without stack frames. */
function lastLines(text: string): string {
    const lines = text.split("\n").filter((line) => line.trim() !== "" && !/^\s+at |^Node\.js v/.test(line));
    return lines.slice(-5).join("\n");
}
