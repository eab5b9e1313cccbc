import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** How a program ended, and what it said. */
export interface Run {
    code: number | null;
    out: string;
    err: string;
    /** Both of them, as they came. */
    output: string;
    /** Of `out`. */
    lines: string[];
}

/** Gets the process and what it has printed so far. */
export type Watch = (child: ChildProcess, out: string) => void;

/** Runs a bundled program of `jobs/` to its end, as its container does. */
export async function runProgram(
    args: readonly string[],
    { env = {}, watch }: { env?: Record<string, string>; watch?: Watch | undefined } = {},
): Promise<Run> {
    const child = spawn(process.execPath, args, { env });
    let [out, err, output] = ["", "", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        out += chunk;
        output += chunk;
        watch?.(child, out);
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        err += chunk;
        output += chunk;
    });
    const [code] = (await once(child, "close")) as [number | null];
    return { code, out, err, output, lines: out.trimEnd().split("\n") };
}
