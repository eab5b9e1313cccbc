import * as z from "zod/mini";
import { GateError } from "./gate";
import { ApiError, type ConfigMap, type Kubernetes, pause, type ResourceRef } from "./kubernetes";
import { anyText, list, oneOf, parse, text, ValidationError, wholeNumber } from "./schema";

/** What the checklist asks of: a version and its image, whatever configuration they run with. */
export const approvedRelease = z.strictObject({
    /** Names both, and nothing else: the entry's own until a gate tests a release of them. */
    hash: text,
    version: text,
    image: text,
});

/** What the pre-deployment checklist found of a release. Section 3.1. */
const approval = z.strictObject({
    /** When it was asked, in ISO 8601. */
    at: text,
    /** Who made the change. */
    author: z.optional(text),
    approvers: z.optional(list(text)),
    rollbackPlan: z.optional(text),
    /** Reason why the whole checklist was skipped. */
    skipped: z.optional(text),
    /** Stack that has completed the image. */
    validatedBy: z.optional(text),
    /** Reason why none has. */
    unvalidated: z.optional(text),
    /** Where its metrics are watched. */
    dashboard: z.optional(text),
    /** What had the traffic before it, as the stakeholders were notified: "v2.0.3 (blue)". */
    replaces: z.optional(text),
    /** When the stakeholders were notified that it begins, in ISO 8601. */
    announced: z.optional(text),
    /** Reason why they were not. */
    unannounced: z.optional(text),
    /** When they were notified that it is done, in ISO 8601. */
    concluded: z.optional(text),
    /** When they were notified that it has failed and is taken back, in ISO 8601. */
    takenBack: z.optional(text),
});

/** What the pre-deployment checklist found of a release. Section 3.1. */
export type Approval = z.infer<typeof approval>;

const count = z.number().check(z.gte(0));

/** What was measured before the switch: the colour that had the traffic, and the target without users. */
const baseline = z.strictObject({
    /** When, in ISO 8601. */
    at: text,
    /** The colour that had the traffic. */
    colour: text,
    /** For how long. */
    seconds: count,
    /** Its requests of users and their errors. */
    requests: count,
    errors: count,
    /** The 95th percentile of how long they took. */
    p95Seconds: z.optional(count),
    /** Whether its metrics count requests at all. */
    counting: z.optional(z.boolean()),
    /** Requests that the target got without users. */
    background: z.optional(
        z.strictObject({
            podSeconds: count,
            requests: count,
            errors: count,
            /** How long they took: how many up to each bound in seconds. */
            buckets: z.record(z.string(), count),
        }),
    ),
    /** Public hosts that did not answer as expected, seen from the cluster. */
    skipped: z.array(text),
});

/** What was measured before the switch. */
export type Baseline = z.infer<typeof baseline>;

/** Why a release has not passed a gate. */
const failure = z.strictObject({
    /** Name of the gate: "soak". */
    gate: text,
    /** When, in ISO 8601. */
    at: text,
    reason: text,
});

/** Why a release has not passed a gate. */
export type Failure = z.infer<typeof failure>;

/** What is remembered of one release. */
const historyEntry = z.strictObject({
    /** Counts the completed releases of an app; missing until the release is completed. */
    revision: z.optional(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
    hash: text,
    version: text,
    image: text,
    /** Missing where the app has no colours. */
    colour: z.optional(oneOf("blue", "green")),
    /** Environment of its containers. Missing in what was recorded before it was kept. */
    config: z.optional(z.record(z.string(), anyText)),
    ticket: z.optional(text),
    /** What it brought of the pre-deployment checklist, if it was asked. */
    evidence: z.optional(approval),
    /** What was measured before the switch. */
    baseline: z.optional(baseline),
    /** The last gate that it has not passed; missing once it passes one. */
    failed: z.optional(failure),
    /** When its smoke tests passed, in ISO 8601. */
    smokeAt: z.optional(text),
    /** When it had proved itself with live traffic, in ISO 8601. */
    completedAt: z.optional(text),
    /** Anything a reader should know. */
    note: z.optional(text),
});

/** What is remembered of one release. */
export type HistoryEntry = z.infer<typeof historyEntry>;

const history = z.array(historyEntry, "a list of releases");

/** What is known of an app's releases. */
export interface History {
    /** Newest last. */
    entries: HistoryEntry[];
    /** A text that stands in the entries' place and cannot be read. */
    corrupt?: string;
    /** Whether there was no release yet. Not so when what stands or stood there cannot be read. */
    blank: boolean;
    /** Version or hash of a release that an operator wants stopped. */
    abort?: string;
}

type Image = Pick<HistoryEntry, "version" | "image">;

/** Most entries that are kept of one app. */
const LEDGER_LIMIT = 20;

/** Reads what stands under an app's key; throws {@link ValidationError} when that is no list of entries. */
export function parseEntries(source: string): HistoryEntry[] {
    let raw: unknown;
    try {
        raw = JSON.parse(source);
    } catch {
        throw new ValidationError({
            path: "",
            found: "text that is not JSON",
            expected: "a list of releases",
        });
    }
    return parse(history, raw);
}

/** Reads an app's keys of the ledger. */
export function parseHistory(data: Record<string, string>, app: string): History {
    const source = data[app];
    const abort = data[`${app}.abort`]?.trim();
    const lost = data[unreadableKey(app)] !== undefined;
    try {
        const entries = source === undefined ? [] : parseEntries(source);
        return { entries, abort, blank: !lost && !entries.some(isCompleted) };
    } catch (error) {
        if (!(error instanceof ValidationError)) throw error;
        return { entries: [], corrupt: source, abort, blank: false };
    }
}

/**
 * Adds an entry as the newest, in the place of one with the same hash and of the approval it rests on, and drops what
 * exceeds the limit: the oldest that were never completed first, never the new one nor the newest completed one of a
 * colour, which may be live.
 */
export function append(entries: HistoryEntry[], entry: HistoryEntry): HistoryEntry[] {
    const approval = isTested(entry) ? untested(entries, entry) : undefined;
    const all = [...entries.filter((each) => each.hash !== entry.hash && each !== approval), entry];
    const newestOf = (colour: string) => all.findLast((each) => isCompleted(each) && each.colour === colour);
    const kept = new Set([entry, newestOf("blue"), newestOf("green")]);
    const droppable = all.filter((each) => !kept.has(each));
    const oldestFirst = [
        ...droppable.filter((each) => !isCompleted(each)),
        ...droppable.filter((each) => isCompleted(each)),
    ];
    const dropped = new Set(oldestFirst.slice(0, Math.max(0, all.length - LEDGER_LIMIT)));
    return all.filter((each) => !dropped.has(each));
}

/** The number of the next release that is completed. */
export function nextRevision(entries: HistoryEntry[]): number {
    return Math.max(0, ...entries.map(({ revision }) => revision ?? 0)) + 1;
}

/** Whether an entry is of this version and image, whatever configuration it ran with. */
export function isOfImage(entry: HistoryEntry, { version, image }: Image): boolean {
    return entry.version === version && entry.image === image;
}

/** The entry with what the checklist found of a version and its image; where it found nothing yet, their newest. */
export function approvalOf(entries: HistoryEntry[], release: Image): HistoryEntry | undefined {
    const own = entries.filter((entry) => isOfImage(entry, release));
    return own.findLast(({ evidence }) => evidence !== undefined) ?? own.at(-1);
}

/** What was announced, and neither concluded nor taken back: for each version and image its approval and last failure. */
export function announcedReleases(entries: HistoryEntry[]): HistoryEntry[] {
    return entries.flatMap((entry) => {
        const approved = approvalOf(entries, entry);
        const { announced, concluded, takenBack } = approved?.evidence ?? {};
        // Several entries may be of one image: with other configurations.
        if (approved !== entry || announced === undefined || (concluded ?? takenBack) !== undefined)
            return [];
        const { failed } =
            entries.findLast((each) => isOfImage(each, entry) && each.failed !== undefined) ?? {};
        return [{ ...entry, ...(failed && { failed }) }];
    });
}

/** What was approved, and no gate has tested yet: the first release of this version and image takes its place. */
export function untested(entries: HistoryEntry[], release: Image): HistoryEntry | undefined {
    return entries.find((entry) => isOfImage(entry, release) && !isTested(entry));
}

function isTested({ smokeAt, completedAt }: HistoryEntry): boolean {
    return smokeAt !== undefined || completedAt !== undefined;
}

export function isCompleted({ completedAt }: HistoryEntry): boolean {
    return completedAt !== undefined;
}

/** The ledger of one app: a key of a ConfigMap that all apps share. */
export class ReleaseHistory {
    private readonly place: ResourceRef;

    constructor(
        private readonly cluster: Kubernetes,
        private readonly where: { namespace: string; configMap: string; app: string },
    ) {
        this.place = { resource: "configmaps", name: where.configMap };
    }

    /** Rejects with {@link GateError} when there is no such ConfigMap. */
    async read(signal: AbortSignal): Promise<History> {
        return parseHistory((await this.configMap(signal)).data ?? {}, this.where.app);
    }

    /**
     * Writes the entry that `change` makes of the present ones, and returns it. `change` is called again when
     * somebody else wrote in between. A text that could not be read is kept under a key of its own.
     */
    async write(
        change: (entries: HistoryEntry[]) => HistoryEntry,
        signal: AbortSignal,
    ): Promise<HistoryEntry> {
        const { app } = this.where;
        for (;;) {
            const { metadata, data = {} } = await this.configMap(signal);
            const { entries, corrupt: garbled } = parseHistory(data, app);
            const entry = change(entries);
            const patch = {
                metadata: { resourceVersion: metadata.resourceVersion },
                data: {
                    [app]: JSON.stringify(append(entries, entry)),
                    ...(garbled === undefined ? {} : { [unreadableKey(app)]: garbled }),
                },
            };
            try {
                await this.cluster.patch(this.place, patch, signal);
                return entry;
            } catch (error) {
                if (!(error instanceof ApiError && error.status === 409)) throw error;
                await pause(0.2, signal);
            }
        }
    }

    private async configMap(signal: AbortSignal): Promise<ConfigMap> {
        try {
            return await this.cluster.get<ConfigMap>(this.place, signal);
        } catch (error) {
            if (!(error instanceof ApiError && error.status === 404)) throw error;
            const { configMap, namespace } = this.where;
            throw new GateError(
                `the ledger, ConfigMap ${configMap} in ${namespace}, is gone: bring it back with: pulumi up --refresh`,
            );
        }
    }
}

/** Where a text is kept that stood in the entries' place. While it is there, no release counts as the first one. */
export function unreadableKey(app: string): string {
    return `${app}.unreadable`;
}
