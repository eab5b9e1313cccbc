import { constants, openSync, readFileSync, writeFileSync } from "node:fs";
import { printable } from "../../core/printable";
import { reasonOf } from "./http";
import { ValidationError } from "./schema";

/** Context of a gate. */
export interface GateContext {
    /** Prints one line immediately. */
    log: (line: string) => void;
    /** Aborted when the gate must stop; the reason is an error with the cause. */
    signal: AbortSignal;
    /** Clock in milliseconds, for printed durations. Default: the process's. */
    now?: () => number;
}

/** Result of a gate, and its last line. */
export interface GateResult {
    passed: boolean;
    line: string;
}

/** Reason why a gate fails, in one line. */
export class GateError extends Error {}

/** Throws a {@link GateError} with the reason, if the signal is aborted. */
export function throwIfStopped(signal: AbortSignal): void {
    if (signal.aborted) throw new GateError(reasonOf(signal));
}

/** File with a container's termination message, which the pod's status shows. */
const TERMINATION_LOG = "/dev/termination-log";

/** Number of modules of this process that called {@link gateMain}. */
let callers = 0;

/**
 * The main program of a gate: reads the plan that its first argument names, runs it and exits with 0 if it passed, 1 if
 * it failed and 2 if the plan is invalid.
 */
export async function gateMain<Plan>(
    parse: (raw: unknown) => Plan,
    run: (plan: Plan, context: GateContext) => Promise<GateResult>,
): Promise<never> {
    // In a bundle every module counts as main; the program's own is last, and only that one runs.
    const caller = (callers += 1);
    await Promise.resolve();
    if (caller !== callers) return new Promise<never>(() => undefined);

    const plan = readPlan(process.argv[2], parse);

    // The first process of a container has no default signal handlers.
    const stop = new AbortController();
    for (const name of ["SIGTERM", "SIGINT"] as const) {
        // Not `once`: a second signal would kill the process before it prints its result.
        process.on(name, () => {
            console.log(`stopped by ${name}`);
            stop.abort(new Error(`stopped by ${name}`));
        });
    }

    // These lines may contain responses of servers and contents of the history.
    const log = (line: string) => console.log(printable(line));
    const { passed, line } = await run(plan, { log, signal: stop.signal });
    log(line);
    lastWords(printable(line));
    // Exits explicitly, because open sockets would keep the process alive.
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
        // Node's message quotes the text, which may contain a token.
        throw new ValidationError({ path: "", found: "text that is not JSON", expected: "a JSON file" });
    }
}

function lastWords(line: string): void {
    try {
        // Without O_CREAT: outside Kubernetes the file does not exist, and must not be created.
        writeFileSync(openSync(TERMINATION_LOG, constants.O_WRONLY | constants.O_TRUNC), line);
    } catch {
        // Optional: the log has the same line.
    }
}
