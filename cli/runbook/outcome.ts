import { INTERRUPTED } from "../interruption";

/** How a run ended, as the exit status of the command. */
export const STATUS = {
    done: 0,
    refused: 1,
    locked: 1,
    declined: 2,
    noEngine: 3,
    failed: 4,
    rolledBack: 5,
    interrupted: INTERRUPTED,
} as const;

/** See {@link STATUS}. */
export type Outcome = keyof typeof STATUS;

/** Another update's lock on the stack. */
export interface StackLock {
    /** Who holds it and since when, as far as the backend says. */
    holder: string;
    /** Whether the process that took it has ended, seen from its own machine. */
    stale: boolean;
}

/** What came of a run. */
export interface RunResult {
    outcome: Outcome;
    /** Whether the update had begun. */
    begun: boolean;
    /** What was done, such as `update kubernetes:core/v1:Service mcp-server`. */
    changes: string[];
    /** Why it ended so. Empty where it is done. */
    reason: string;
    /** Another update's lock, for which this one did not begin. */
    lock?: StackLock;
}

/** The result of a run whose update has not begun. */
export function notBegun(outcome: Outcome, reason = ""): RunResult {
    return { outcome, begun: false, changes: [], reason };
}
