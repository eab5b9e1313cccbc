import { type ChildProcessByStdio, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { type Readable } from "node:stream";
import { root } from "../support";

/** How a step ended, and what it said. */
export interface Ended {
    status: number | null;
    output: string;
}

/** Collects what a process says until it ends. */
export function endOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ended> {
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    return new Promise((resolve) => child.once("close", (status) => resolve({ status, output })));
}

/** The directories that the steps of one run share, outside of a cluster. */
export class StepFolder {
    readonly path = mkdtempSync(join(tmpdir(), "mcp-steps-"));

    constructor() {
        for (const name of ["handover", "secrets", "scratch", "bin"]) {
            mkdirSync(join(this.path, name));
        }
    }

    /** A file that the steps hand on. */
    handover(name: string): string {
        return join(this.path, "handover", name);
    }

    /** Writes the keys of a Secret; one in a folder as `FOLDER/KEY`. */
    supply(secret: Record<string, string>): void {
        for (const [key, value] of Object.entries(secret)) {
            const file = join(this.path, "secrets", key);
            mkdirSync(dirname(file), { recursive: true });
            writeFileSync(file, value);
        }
    }

    /** Puts a program in front of all others of its name. */
    plant(name: string, script: string): void {
        writeFileSync(join(this.path, "bin", name), script);
        chmodSync(join(this.path, "bin", name), 0o755);
    }

    /** Starts a script of `jobs/` as its container would. */
    start(script: string, env: Record<string, string> = {}) {
        return this.command(["bash", join(root, "jobs", script)], env);
    }

    /** Starts a command as a container would. */
    command([program, ...args]: readonly string[], env: Record<string, string> = {}) {
        const child = spawn(program!, args, {
            env: {
                PATH: [join(this.path, "bin"), process.env["PATH"]].join(delimiter),
                HANDOVER: join(this.path, "handover"),
                SECRETS: join(this.path, "secrets"),
                SCRATCH: join(this.path, "scratch"),
                HOSTNAME: "mcp-db-maintenance-29384850-x7k2p",
                ...env,
            },
            // What Node takes for a pipe, Bash takes for a login from afar, and reads somebody's .bashrc.
            stdio: ["ignore", "pipe", "pipe"],
        });
        return { child, ended: endOf(child) };
    }

    remove(): void {
        rmSync(this.path, { recursive: true });
    }
}
