import * as z from "zod/mini";
import { GateError } from "./gate";
import { ApiError, type ConfigMap, type Kubernetes, pause, type ResourceRef } from "./kubernetes";
import { anyText, list, oneOf, parse, text, ValidationError, wholeNumber } from "./schema";

/** What an approval is for: a version and its image, with any configuration. */
export const approvedRelease = z.strictObject({
    /** Hash of both: the entry's own until a gate tests a release of them. */
    hash: text,
    version: text,
    image: text,
});

/** Approval of a release by the pre-deployment checklist. Section 3.1. */
const approval = z.strictObject({
    /** Time of the check, in ISO 8601. */
    at: text,
    /** Author of the change. */
    author: z.optional(text),
    approvers: z.optional(list(text)),
    rollbackPlan: z.optional(text),
    /** Reason for skipping the whole checklist. */
    skipped: z.optional(text),
    /** Stack that completed the image. */
    validatedBy: z.optional(text),
    /** Reason why no stack did. */
    unvalidated: z.optional(text),
    /** URL of its metrics. */
    dashboard: z.optional(text),
    /** The release before it, as in the notice: "v2.0.3 (blue)". */
    replaces: z.optional(text),
    /** Time of the notice that it begins, in ISO 8601. */
    announced: z.optional(text),
    /** Reason for no notice. */
    unannounced: z.optional(text),
    /** Time of the notice that it is completed, in ISO 8601. */
    concluded: z.optional(text),
    /** Time of the notice that it failed and was rolled back, in ISO 8601. */
    takenBack: z.optional(text),
});

/** Approval of a release by the pre-deployment checklist. Section 3.1. */
export type Approval = z.infer<typeof approval>;

const count = z.number().check(z.gte(0));

/** Measurement before the switch: the active colour, and the target without users. */
const baseline = z.strictObject({
    /** Time, in ISO 8601. */
    at: text,
    /** The active colour. */
    colour: text,
    /** Duration. */
    seconds: count,
    /** Users' requests and errors. */
    requests: count,
    errors: count,
    /** Their 95th percentile. */
    p95Seconds: z.optional(count),
    /** Whether its metrics count requests. */
    counting: z.optional(z.boolean()),
    /** Requests to the target without users. */
    background: z.optional(
        z.strictObject({
            podSeconds: count,
            requests: count,
            errors: count,
            /** Their durations: number up to each bound in seconds. */
            buckets: z.record(z.string(), count),
        }),
    ),
    /** Public hosts that did not respond as expected, from inside the cluster. */
    skipped: z.array(text),
});

/** Measurement before the switch. */
export type Baseline = z.infer<typeof baseline>;

/** Failure of a release at a gate. */
const failure = z.strictObject({
    /** Name of the gate: "soak". */
    gate: text,
    /** Time, in ISO 8601. */
    at: text,
    reason: text,
});

/** Failure of a release at a gate. */
export type Failure = z.infer<typeof failure>;

/** One release in the history. */
const historyEntry = z.strictObject({
    /** Number of the completed release; undefined until completed. */
    revision: z.optional(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
    hash: text,
    version: text,
    image: text,
    /** Undefined for an app without colours. */
    colour: z.optional(oneOf("blue", "green")),
    /** Environment of its containers. Missing in old entries. */
    config: z.optional(z.record(z.string(), anyText)),
    ticket: z.optional(text),
    /** Its approval, if required. */
    evidence: z.optional(approval),
    /** Measurement before the switch. */
    baseline: z.optional(baseline),
    /** The last failed gate; removed when a gate passes. */
    failed: z.optional(failure),
    /** Time when its smoke tests passed, in ISO 8601. */
    smokeAt: z.optional(text),
    /** Time when it completed its soak, in ISO 8601. */
    completedAt: z.optional(text),
    /** Note for readers. */
    note: z.optional(text),
});

/** One release in the history. */
export type HistoryEntry = z.infer<typeof historyEntry>;

const history = z.array(historyEntry, "a list of releases");

/** Release history of an app. */
export interface History {
    /** Newest last. */
    entries: HistoryEntry[];
    /** Corrupt text in place of the entries. */
    corrupt?: string;
    /** Whether there was no release yet. False if the text is or was corrupt. */
    blank: boolean;
    /** Version or hash of a release to abort. */
    abort?: string;
}

type Image = Pick<HistoryEntry, "version" | "image">;

/** Maximum number of entries of an app. */
const LEDGER_LIMIT = 20;

/** Parses an app's entries; throws {@link ValidationError} for other texts. */
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

/** Reads an app's keys of the history. */
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
 * Adds an entry as the newest, replacing one with the same hash and the approval it rests on. Drops entries above the
 * limit: the oldest incomplete ones first, never the new one nor the newest completed one of a colour, which may be
 * live.
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

/** The next revision number. */
export function nextRevision(entries: HistoryEntry[]): number {
    return Math.max(0, ...entries.map(({ revision }) => revision ?? 0)) + 1;
}

/** Whether an entry is of this version and image, with any configuration. */
export function isOfImage(entry: HistoryEntry, { version, image }: Image): boolean {
    return entry.version === version && entry.image === image;
}

/** The entry with the approval of a version and image; without one, their newest entry. */
export function approvalOf(entries: HistoryEntry[], release: Image): HistoryEntry | undefined {
    const own = entries.filter((entry) => isOfImage(entry, release));
    return own.findLast(({ evidence }) => evidence !== undefined) ?? own.at(-1);
}

/**
 * Announced releases that are neither completed nor rolled back: approval and last failure of each version and image.
 */
export function announcedReleases(entries: HistoryEntry[]): HistoryEntry[] {
    return entries.flatMap((entry) => {
        const approved = approvalOf(entries, entry);
        const { announced, concluded, takenBack } = approved?.evidence ?? {};
        // Several entries may have the same image, with different configurations.
        if (approved !== entry || announced === undefined || (concluded ?? takenBack) !== undefined)
            return [];
        const { failed } =
            entries.findLast((each) => isOfImage(each, entry) && each.failed !== undefined) ?? {};
        return [{ ...entry, ...(failed && { failed }) }];
    });
}

/** Approved, but not tested by a gate yet: the first release of this version and image replaces it. */
export function untested(entries: HistoryEntry[], release: Image): HistoryEntry | undefined {
    return entries.find((entry) => isOfImage(entry, release) && !isTested(entry));
}

function isTested({ smokeAt, completedAt }: HistoryEntry): boolean {
    return smokeAt !== undefined || completedAt !== undefined;
}

export function isCompleted({ completedAt }: HistoryEntry): boolean {
    return completedAt !== undefined;
}

/** Release history of one app: a key of a ConfigMap that all apps share. */
export class ReleaseHistory {
    private readonly place: ResourceRef;

    constructor(
        private readonly cluster: Kubernetes,
        private readonly where: { namespace: string; configMap: string; app: string },
    ) {
        this.place = { resource: "configmaps", name: where.configMap };
    }

    /** Rejects with {@link GateError} if there is no such ConfigMap. */
    async read(signal: AbortSignal): Promise<History> {
        return parseHistory((await this.configMap(signal)).data ?? {}, this.where.app);
    }

    /**
     * Writes the entry that `change` returns for the current ones, and returns it. Calls `change` again after a
     * concurrent write. Keeps a corrupt text under a separate key.
     */
    async write(
        change: (entries: HistoryEntry[]) => HistoryEntry,
        signal: AbortSignal,
    ): Promise<HistoryEntry> {
        const { app } = this.where;
        for (;;) {
            const { metadata, data = {} } = await this.configMap(signal);
            const { entries, corrupt } = parseHistory(data, app);
            const entry = change(entries);
            const patch = {
                metadata: { resourceVersion: metadata.resourceVersion },
                data: {
                    [app]: JSON.stringify(append(entries, entry)),
                    ...(corrupt === undefined ? {} : { [unreadableKey(app)]: corrupt }),
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
                `the release history, ConfigMap ${configMap} in ${namespace}, is missing: restore it with: pulumi ` +
                    "up --refresh",
            );
        }
    }
}

/** Key of a corrupt text. While it exists, no release counts as the first. */
export function unreadableKey(app: string): string {
    return `${app}.unreadable`;
}
