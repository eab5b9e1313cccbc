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

/** Notice about a release that passed its last gate. Section 3.1. */
const noticePlan = z.strictObject({
    /** The release, for log lines: "mcp-server v2.1.0 (green)". */
    subject: text,
    /** Deadline of the run, in seconds. */
    deadlineSeconds: seconds,
    namespace: objectName,
    /** Key in the release history. */
    app: objectName,
    /** Undefined for an app without colours. */
    colour: z.optional(oneOf("blue", "green")),
    release: approvedRelease,
    /** Name of the ConfigMap with the release history. */
    ledger: objectName,
    /** SNS topic of the stakeholders. */
    topic: topicArn,
    /** Name of the environment in notices. */
    environment: text,
});

/** Notice about a release that passed its last gate. Section 3.1. */
export type NoticePlan = z.infer<typeof noticePlan>;

/** Context of the notice. */
export interface NoticeOptions extends SnsOptions {
    /** Default: the pod's ServiceAccount. */
    cluster?: Kubernetes;
}

/**
 * Notifies stakeholders once that an announced release is completed, and that failed ones were rolled back. Always
 * passes: the release is complete, and a failed notice must not roll it back. Its last line reports the failure.
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

/** Notifies of other announced releases that are not active. Undefined if there are none. */
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

/** Parses a plan's file; throws an error with path, found and expected. */
export const parseNoticePlan = (raw: unknown): NoticePlan => parse(noticePlan, raw);

if (require.main === module) {
    void gateMain(parseNoticePlan, runNotice);
}
