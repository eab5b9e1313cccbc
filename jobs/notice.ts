import { runInCluster } from "./lib/clusterGate";
import { gateMain, type GateResult } from "./lib/gate";
import { type Kubernetes } from "./lib/kubernetes";
import {
    announcedReleases,
    approvalOf,
    approvedRelease,
    type HistoryEntry,
    isOfImage,
    ReleaseHistory,
} from "./lib/releaseHistory";
import { ending, takenBack } from "./lib/releaseNotice";
import * as z from "zod/mini";
import { objectName, oneOf, parse, seconds, text, topicArn } from "./lib/schema";
import { publish, type SnsOptions } from "./lib/sns";

/** What is told of a release that has passed its last gate. Section 3.1. */
const noticePlan = z.strictObject({
    /** Who was released, for the lines printed: "mcp-server v2.1.0 (green)". */
    subject: text,
    /** Whole-run limit in seconds. */
    deadlineSeconds: seconds,
    namespace: objectName,
    /** Key of the release's history in the ledger. */
    app: objectName,
    /** Missing where the app has no colours. */
    colour: z.optional(oneOf("blue", "green")),
    release: approvedRelease,
    /** Name of the ConfigMap that remembers the releases. */
    ledger: objectName,
    /** SNS topic of the stakeholders. */
    topic: topicArn,
    /** The environment they know. */
    environment: text,
});

/** What is told of a release that has passed its last gate. Section 3.1. */
export type NoticePlan = z.infer<typeof noticePlan>;

/** The notice's surroundings. */
export interface NoticeOptions extends SnsOptions {
    /** Default: as the ServiceAccount of the pod this runs in. */
    cluster?: Kubernetes;
}

/**
 * Notifies stakeholders who know that a release begins that it is done, and that others, which failed, were taken back; of
 * each once. Always passes: the release is finished, and a notice that cannot be sent is no reason to take it back. The
 * line then says so.
 */
export function runNotice(plan: NoticePlan, options: NoticeOptions): Promise<GateResult> {
    const { subject } = plan;
    return runInCluster(
        "notice",
        plan,
        options,
        (ctx) => conclude(plan, { date: () => new Date(), ...options, ...ctx }),
        (reason) => ({
            passed: true,
            line: `PASSED ${subject}: it is done, but its stakeholders are NOT TOLD so: ${reason}.`,
        }),
    );
}

type Context = NoticeOptions & Required<Pick<NoticeOptions, "cluster" | "date">>;

async function conclude(plan: NoticePlan, ctx: Context): Promise<string> {
    const { app, release, namespace, topic } = plan;
    const { cluster, date, signal } = ctx;
    const ledger = new ReleaseHistory(cluster, { namespace, configMap: plan.ledger, app });
    const { entries } = await ledger.read(signal);
    const line = await noticeTakenBack(plan, ctx, ledger, entries);
    const entry = approvalOf(entries, release);
    const evidence = entry?.evidence;
    if (entry === undefined || evidence?.announced === undefined) {
        return line ?? "nobody was told of its beginning, nor is of its end";
    }
    if (evidence.concluded !== undefined) {
        return line ?? `its stakeholders know since ${evidence.concluded}`;
    }

    await publish({ topic, ...ending({ ...plan, ...evidence, ticket: entry.ticket }) }, ctx);
    const concluded = date().toISOString();
    await ledger.write(
        (all) => ({
            ...(approvalOf(all, release) ?? entry),
            evidence: { ...evidence, concluded },
        }),
        signal,
    );
    return ["its stakeholders are told that it is done", line].filter(Boolean).join("; ");
}

/** Notifies of other releases that were announced and are not what serves now. Undefined where there are none. */
async function noticeTakenBack(
    { app, release, subject: serving, topic, environment }: NoticePlan,
    ctx: Context,
    ledger: ReleaseHistory,
    entries: HistoryEntry[],
): Promise<string | undefined> {
    const others = announcedReleases(entries).filter((entry) => !isOfImage(entry, release));
    for (const { version, colour, ticket, evidence, failed, ...entry } of others) {
        const subject = `${app} ${version}${colour === undefined ? "" : ` (${colour})`}`;
        const { skipped, dashboard } = evidence!;
        const facts = { subject, environment, ticket, skipped, dashboard };
        await publish({ topic, ...takenBack({ ...facts, app, version, serving, failed }) }, ctx);
        const at = ctx.date().toISOString();
        await ledger.write((all) => {
            const known = approvalOf(all, { version, image: entry.image });
            return {
                ...(known ?? { ...entry, version }),
                evidence: { ...(known?.evidence ?? evidence!), takenBack: at },
            };
        }, ctx.signal);
    }
    const versions = others.map(({ version }) => version).join(", ");
    return versions === "" ? undefined : `its stakeholders are told that ${versions} was taken back`;
}

/** Checks what was read from a plan's file; throws an error with path, found and expected. */
export const parseNoticePlan = (raw: unknown): NoticePlan => parse(noticePlan, raw);

if (require.main === module) {
    void gateMain(parseNoticePlan, runNotice);
}
