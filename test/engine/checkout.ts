import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { onProcessEnd } from "../cluster/process-end";
import { type Lab } from "./lab";

/** How a command ended. */
export interface Ended {
    status: number | null;
    stdout: string;
    stderr: string;
}

/** A command on its way. */
export interface Command {
    done: Promise<Ended>;
    /** What it has printed so far. */
    output: () => string;
    /** Presses Ctrl-C: the terminal tells every process of the group. */
    interrupt: () => void;
    /** Ends it and all that it started, at once. */
    kill: () => void;
}

/** A copy of the project, in which somebody types `npm run …`. */
export class Checkout {
    /** @param env Of the stack: where its state is, and how it is reached. */
    constructor(
        private readonly lab: Lab,
        readonly folder: string,
        private readonly env: NodeJS.ProcessEnv,
    ) {}

    /** Starts a command, such as `runbook run …`. */
    start(...args: string[]): Command {
        const { lab, folder, env } = this;
        const child = spawn(process.execPath, ["cli/main.cjs", ...args], {
            cwd: folder,
            detached: true,
            env: {
                ...env,
                PATH: [dirname(lab.cluster.kubectl), env["PATH"]].join(delimiter),
                KUBECONFIG: lab.cluster.kubeconfig,
            },
            stdio: ["ignore", "pipe", "pipe"],
        });
        const tell = (name: NodeJS.Signals) => process.kill(-child.pid!, name);
        const forget = onProcessEnd(() => tell("SIGKILL"));
        const ended: Ended = { status: null, stdout: "", stderr: "" };
        for (const name of ["stdout", "stderr"] as const) {
            child[name].setEncoding("utf8").on("data", (text: string) => (ended[name] += text));
        }
        const done = new Promise<Ended>((resolve) =>
            child.once("close", (status) => {
                forget();
                // For the search for secrets at the end.
                appendFileSync(join(folder, "output.log"), ended.stdout + ended.stderr);
                resolve({ ...ended, status });
            }),
        );
        return {
            done,
            output: () => ended.stdout + ended.stderr,
            interrupt: () => tell("SIGINT"),
            kill: () => tell("SIGKILL"),
        };
    }

    /** Runs `npm run runbook -- …` to its end. */
    runbook(...args: string[]): Promise<Ended> {
        return this.start("runbook", ...args).done;
    }
}
