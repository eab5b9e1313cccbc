import { type History, type HistoryEntry, isCompleted, unreadableKey, untested } from "../lib/releaseHistory";
import { GateError } from "../lib/gate";
import { type ReleaseContext } from "./context";
import { type GateBase } from "./plan";

/** Reads the release history, and says so when it cannot be understood. */
export async function recall({ app }: GateBase, { history, log, signal }: ReleaseContext): Promise<History> {
    const known = await history.read(signal);
    if (known.corrupt !== undefined) {
        log(
            `the release history of ${app} is unreadable: no release counts as known, nor this one as the first; ` +
                `its text is kept as ${unreadableKey(app)}`,
        );
    }
    return known;
}

/** Whether an entry is the release's. */
export function isOf({ release }: GateBase, { hash }: HistoryEntry): boolean {
    return hash === release.hash;
}

/**
 * Throws {@link GateError} when an operator has aborted the release: its version or hash is the first word of
 * `<app>.abort`, and any reason follows.
 */
export function throwIfAborted({ app, namespace, ledger, release }: GateBase, { abort = "" }: History): void {
    const [aborted, ...reason] = abort.split(/\s+/);
    if (aborted !== release.version && aborted !== release.hash) return;
    throw new GateError(
        `aborted by an operator${reason.length === 0 ? "" : `, ${reason.join(" ")}`}. To try this release again, first: ` +
            `kubectl patch configmap ${ledger} -n ${namespace} --type merge -p '{"data":{"${app}.abort":null}}'`,
    );
}

/** The release's entry with news in it, and with what was approved of its image. */
export function updatedEntry(
    plan: GateBase,
    entries: HistoryEntry[],
    news: Partial<HistoryEntry>,
): HistoryEntry {
    const { release, colour } = plan;
    const own = entries.find((entry) => isOf(plan, entry));
    return { ...untested(entries, release), ...own, ...release, colour, failed: undefined, ...news };
}

/** Keeps in the history why a release has not passed its gate, for the notice that it is taken back. */
export async function recordFailure(
    plan: GateBase & { gate: string },
    { history, log, date }: ReleaseContext,
    reason: string,
): Promise<void> {
    // Not the gate's own signal: its deadline may be what has passed.
    const signal = AbortSignal.timeout(RECORD_MILLISECONDS);
    try {
        const { entries } = await history.read(signal);
        if (entries.some((entry) => isOf(plan, entry) && isCompleted(entry))) return;
        const failed = { gate: plan.gate, at: date().toISOString(), reason };
        await history.write((all) => updatedEntry(plan, all, { failed }), signal);
    } catch (error) {
        log(`why it failed is not in the release history: ${(error as Error).message}`);
    }
}

/** Most that the record of a failure may take. */
const RECORD_MILLISECONDS = 10_000;
