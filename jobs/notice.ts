import { runInCluster } from "./lib/clusterGate";
import { gateMain, type GateResult } from "./lib/gate";
import { type Kubernetes } from "./lib/kubernetes";
import { approvalOf, type ApprovedRelease, approvedRelease, ReleaseHistory } from "./lib/releaseHistory";
import { ending } from "./lib/releaseNotice";
import { objectName, oneOf, optional, seconds, shape, text, topicArn } from "./lib/schema";
import { publish, type SnsOptions } from "./lib/sns";

/** What is told of a release that has passed its last gate. Section 3.1. */
export interface NoticePlan {
    /** Who was released, for the lines printed: "mcp-server v2.1.0 (green)". */
    subject: string;
    /** Whole-run limit in seconds. */
    deadlineSeconds: number;
    namespace: string;
    /** Key of the release's history in the ledger. */
    app: string;
    /** Missing where the app has no colours. */
    colour?: "blue" | "green" | undefined;
    release: ApprovedRelease;
    /** Name of the ConfigMap that remembers the releases. */
    ledger: string;
    /** SNS topic of the stakeholders. */
    topic: string;
    /** The environment they know. */
    environment: string;
}

/** The notice's surroundings. */
export interface NoticeOptions extends SnsOptions {
    /** Default: as the ServiceAccount of the pod this runs in. */
    cluster?: Kubernetes;
}

/**
 * Tells those who were told that a release begins that it is done, once. Always passes: the release is finished, and a
 * notice that cannot be sent is no reason to take it back. The line then says so.
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

async function conclude(
    plan: NoticePlan,
    ctx: NoticeOptions & Required<Pick<NoticeOptions, "cluster" | "date">>,
): Promise<string> {
    const { app, release, namespace, topic } = plan;
    const { cluster, date, signal } = ctx;
    const ledger = new ReleaseHistory(cluster, { namespace, configMap: plan.ledger, app });
    const { entries } = await ledger.read(signal);
    const entry = approvalOf(entries, release);
    const evidence = entry?.evidence;
    if (entry === undefined || evidence?.announced === undefined) {
        return "nobody was told of its beginning, nor is of its end";
    }
    if (evidence.concluded !== undefined) return `its stakeholders know since ${evidence.concluded}`;

    await publish({ topic, ...ending({ ...plan, ...evidence, ticket: entry.ticket }) }, ctx);
    const concluded = date().toISOString();
    await ledger.write(
        (all) => ({
            ...(approvalOf(all, release) ?? entry),
            evidence: { ...evidence, concluded },
        }),
        signal,
    );
    return "its stakeholders are told that it is done";
}

/** Checks what was read from a plan's file; throws an error with path, found and expected. */
export const parseNoticePlan = (raw: unknown): NoticePlan => planShape(raw, "");

const planShape = shape<NoticePlan>({
    subject: text,
    deadlineSeconds: seconds,
    namespace: objectName,
    app: objectName,
    colour: optional(oneOf("blue", "green")),
    release: approvedRelease,
    ledger: objectName,
    topic: topicArn,
    environment: text,
});

if (require.main === module) {
    void gateMain(parseNoticePlan, runNotice);
}
