import { type History, type HistoryEntry, unreadableKey, untested } from "../lib/releaseHistory";
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
    return { ...untested(entries, release), ...own, ...release, colour, ...news };
}
