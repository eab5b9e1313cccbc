import { constants, openSync, readFileSync, writeFileSync } from "node:fs";
import { printable } from "../../core/printable";
import { reasonOf } from "./http";
import { ValidationError } from "./schema";

/** What a gate needs of its surroundings. */
export interface GateContext {
    /** Prints one line at once. */
    log: (line: string) => void;
    /** Fires when the gate is told to stop; the reason is an error that says by what. */
    signal: AbortSignal;
    /** Clock in milliseconds, for the times printed. Default: the process's own. */
    now?: () => number;
}

/** How a gate ended, and the line that says so. */
export interface GateResult {
    passed: boolean;
    line: string;
}

/** A gate's reason not to pass, told in one line. */
export class GateError extends Error {}

/** Throws a {@link GateError} that says why, once the signal has fired. */
export function throwIfStopped(signal: AbortSignal): void {
    if (signal.aborted) throw new GateError(reasonOf(signal));
}

/** Where Kubernetes picks up a container's last words, shown as the pod's message. */
const TERMINATION_LOG = "/dev/termination-log";

/** How many modules of this process have called {@link gateMain}. */
let callers = 0;

/**
 * The main program of a gate: reads the plan its first argument names, runs it and exits with 0 when it passed,
 * 1 when it did not and 2 when the plan is unusable.
 */
export async function gateMain<Plan>(
    parse: (raw: unknown) => Plan,
    run: (plan: Plan, context: GateContext) => Promise<GateResult>,
): Promise<never> {
    // In a bundle each module takes itself for the main one; the program's own comes last, and only that one runs.
    const caller = (callers += 1);
    await Promise.resolve();
    if (caller !== callers) return new Promise<never>(() => undefined);

    const plan = readPlan(process.argv[2], parse);

    // The first process of a container has no default reaction to signals: unhandled, they would do nothing.
    const stop = new AbortController();
    for (const name of ["SIGTERM", "SIGINT"] as const) {
        // Not once: a second signal would then kill the process before it has said how it ended.
        process.on(name, () => {
            console.log(`stopped by ${name}`);
            stop.abort(new Error(`stopped by ${name}`));
        });
    }

    // What a server answers and what the stack remembers is in these lines.
    const log = (line: string) => console.log(printable(line));
    const { passed, line } = await run(plan, { log, signal: stop.signal });
    log(line);
    lastWords(printable(line));
    // Said outright, because sockets that are still open would keep the process alive.
    process.exit(passed ? 0 : 1);
}

function readPlan<Plan>(path: string | undefined, parse: (raw: unknown) => Plan): Plan {
    try {
        if (path === undefined) {
            throw new ValidationError({
                path: "first argument",
                found: "nothing",
                expected: "the path of a plan",
            });
        }
        return parse(parseJson(read(path)));
    } catch (error) {
        if (!(error instanceof ValidationError)) throw error;
        const line = printable(`unusable plan ${path ?? ""}`.trimEnd() + `: ${error.message}`);
        console.error(line);
        lastWords(line);
        process.exit(2);
    }
}

function read(path: string): string {
    try {
        return readFileSync(path, "utf8");
    } catch (error) {
        throw new ValidationError({
            path: "",
            found: `no readable file (${(error as NodeJS.ErrnoException).code})`,
            expected: "a JSON file",
        });
    }
}

function parseJson(source: string): unknown {
    try {
        return JSON.parse(source);
    } catch {
        // Node's own message quotes the text around the mistake, which may be a token.
        throw new ValidationError({ path: "", found: "text that is not JSON", expected: "a JSON file" });
    }
}

function lastWords(line: string): void {
    try {
        // Without O_CREAT: outside Kubernetes there is no such file, and there must be none afterwards.
        writeFileSync(openSync(TERMINATION_LOG, constants.O_WRONLY | constants.O_TRUNC), line);
    } catch {
        // Only a courtesy: the same line is in the log.
    }
}
