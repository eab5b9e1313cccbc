import { INTERRUPTED } from "../interruption";

/** Result of a run, as the exit status. */
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

/** Lock of another update on the stack. */
export interface StackLock {
    /** Holder and start, as far as the backend knows. */
    holder: string;
    /** Whether the process that took it has ended, checked on its own machine. */
    stale: boolean;
}

/** Result of a run. */
export interface RunResult {
    outcome: Outcome;
    /** Whether the update began. */
    begun: boolean;
    /** Executed steps, such as `update kubernetes:core/v1:Service mcp-server`. */
    changes: string[];
    /** Reason. Empty if successful. */
    reason: string;
    /** Another update's lock, because of which this one did not begin. */
    lock?: StackLock;
}

/** The result of a run whose update did not begin. */
export function notBegun(outcome: Outcome, reason = ""): RunResult {
    return { outcome, begun: false, changes: [], reason };
}
