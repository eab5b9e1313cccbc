import { type History, type HistoryEntry, isCompleted, unreadableKey, untested } from "../lib/releaseHistory";
import { GateError } from "../lib/gate";
import { type ReleaseContext } from "./context";
import { type GateBase } from "./plan";

/** Reads the release history; reports a corrupt one. */
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

/** Whether an entry is of the release. */
export function isOf({ release }: GateBase, { hash }: HistoryEntry): boolean {
    return hash === release.hash;
}

/**
 * Throws {@link GateError} if an operator aborted the release: `<app>.abort` starts with its version or hash, followed
 * by a reason.
 */
export function throwIfAborted({ app, namespace, ledger, release }: GateBase, { abort = "" }: History): void {
    const [aborted, ...reason] = abort.split(/\s+/);
    if (aborted !== release.version && aborted !== release.hash) return;
    throw new GateError(
        `aborted by an operator${reason.length === 0 ? "" : `, ${reason.join(" ")}`}. To try this release again, first: ` +
            `kubectl patch configmap ${ledger} -n ${namespace} --type merge -p '{"data":{"${app}.abort":null}}'`,
    );
}

/**
 * Throws {@link GateError} if an operator aborted the release. A completed release is a rollback and is not aborted.
 */
export async function checkAbort(plan: GateBase, { history, signal }: ReleaseContext): Promise<void> {
    const known = await history.read(signal);
    if (!known.entries.some((entry) => isOf(plan, entry) && isCompleted(entry))) throwIfAborted(plan, known);
}

/** The release's entry with changes, and with the approval of its image. */
export function updatedEntry(
    plan: GateBase,
    entries: HistoryEntry[],
    news: Partial<HistoryEntry>,
): HistoryEntry {
    const { release, colour } = plan;
    const own = entries.find((entry) => isOf(plan, entry));
    return { ...untested(entries, release), ...own, ...release, colour, failed: undefined, ...news };
}

/** Stores why a release failed its gate, for the notice of its rollback. */
export async function recordFailure(
    plan: GateBase & { gate: string },
    { history, log, date }: ReleaseContext,
    reason: string,
): Promise<void> {
    // Not with the gate's own signal, whose deadline may have passed.
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

/** Limit for recording a failure. */
const RECORD_MILLISECONDS = 10_000;
