import { type History, type HistoryEntry, unreadableKey, untested } from "../lib/releaseHistory";
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
