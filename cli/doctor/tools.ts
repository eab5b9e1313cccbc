import { spawn } from "node:child_process";
import { messageLines } from "../kubectl";

/** Result of a program. */
export interface Answer {
    /** Its exit status; undefined if it has none. */
    readonly status: number | undefined;
    readonly stdout: string;
    /** Why it has no status, or the last line of its standard error. */
    readonly reason: string;
    /** Whether the program is missing on the PATH. */
    readonly absent: boolean;
}

/** Starts a program and waits for its end, with a timeout. */
export type Run = (command: string, args: readonly string[]) => Promise<Answer>;

/** Timeout of a program, in milliseconds. */
const LIMIT = 15_000;

/** Environment that prevents prompts, pagers and update checks. */
const QUIET = { PULUMI_SKIP_UPDATE_CHECK: "true", AWS_PAGER: "", PAGER: "cat" };

/** Runs a program without input. At the timeout it is killed, with its child processes. */
export function runner(limit = LIMIT): Run {
    return (command, args) =>
        new Promise((resolve) => {
            const child = spawn(command, args, {
                detached: true,
                env: { ...process.env, ...QUIET },
                stdio: ["ignore", "pipe", "pipe"],
            });
            const written = { stdout: "", stderr: "" };
            for (const stream of ["stdout", "stderr"] as const) {
                child[stream].setEncoding("utf8").on("data", (text: string) => (written[stream] += text));
            }
            const end = (status: number | undefined, problem = "", absent = false) => {
                clearTimeout(timer);
                const reason = problem || lastLine(written.stderr) || `exit status ${status}`;
                resolve({ status, stdout: written.stdout, reason, absent });
            };
            const timer = setTimeout(() => {
                process.kill(-child.pid!, "SIGKILL");
                end(undefined, `no answer within ${limit / 1000} s`);
            }, limit);
            child.once("error", ({ code, message }: NodeJS.ErrnoException) =>
                code === "ENOENT"
                    ? end(undefined, `${command} is not on the PATH`, true)
                    : end(undefined, `${command} cannot be run: ${message}`),
            );
            child.once("close", (status) => end(status ?? undefined));
        });
}

/** Maximum length of a reason, in characters. */
const LONGEST_REASON = 200;

function lastLine(text: string): string {
    return (messageLines(text).at(-1) ?? "")
        .trim()
        .replace(/^error: /i, "")
        .slice(0, LONGEST_REASON);
}

/** A program's JSON output; undefined if it failed or printed something else. */
export function json<T>({ status, stdout }: Answer): T | undefined {
    try {
        return status === 0 ? (JSON.parse(stdout) as T) : undefined;
    } catch {
        return undefined;
    }
}
