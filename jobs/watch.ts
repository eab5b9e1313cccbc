import * as z from "zod/mini";
import { runInCluster } from "./lib/clusterGate";
import { type GateContext, gateMain, type GateResult } from "./lib/gate";
import {
    because,
    type Deployment,
    endedBy,
    isReady,
    type Job,
    type Kubernetes,
    pause,
    type Pod,
    unreadyBecause,
} from "./lib/kubernetes";
import { approvalOf, approvedRelease, type Failure, isOfImage, ReleaseHistory } from "./lib/releaseHistory";
import { failing, takenBack } from "./lib/releaseNotice";
import { getIfThere, runningVersion, VERSION_LABEL, versionOf } from "./lib/runningVersion";
import { objectName, oneOf, parse, seconds, text, topicArn } from "./lib/schema";
import { publish, type SnsOptions } from "./lib/sns";

/** What is watched while an update releases it. Section 3.1. */
const watchPlan = z.strictObject({
    /** The release, for the lines printed: "mcp-server v2.1.0 (green)". */
    subject: text,
    /** Whole-run limit in seconds: longer than the update takes. */
    deadlineSeconds: seconds,
    namespace: objectName,
    /** Key of the release's history, and label of its pods. */
    app: objectName,
    /** Missing where the app has no colours. */
    colour: z.optional(oneOf("blue", "green")),
    release: approvedRelease,
    /** Name of the ConfigMap with the release history. */
    ledger: objectName,
    /** How long the update waits for the rollout, in seconds. */
    rolloutSeconds: seconds,
    /** SNS topic of the stakeholders. */
    topic: topicArn,
    /** The environment they know. */
    environment: text,
});

/** What is watched while an update releases it. Section 3.1. */
export type WatchPlan = z.infer<typeof watchPlan>;

/** The watch's surroundings. */
export interface WatchOptions extends SnsOptions {
    /** Default: as the ServiceAccount of the pod this runs in. */
    cluster?: Kubernetes;
    /** Between two looks at the cluster, in seconds. Default: 5. */
    pollSeconds?: number;
    /** Clock in milliseconds. Default: the process's own. */
    now?: GateContext["now"];
}

type Context = WatchOptions & Required<Pick<WatchOptions, "cluster" | "date" | "now" | "pollSeconds">>;

/**
 * Watches a release that was announced, and notifies its stakeholders at the moment it fails: in a gate, in the dump
 * before it, or in its rollout, which no gate sees; and when it is taken back after that. The update does not wait for it.
 * The update that takes the release back may run no other Job, and deletes this one: it looks once more when it is stopped.
 */
export function runWatch(plan: WatchPlan, options: WatchOptions): Promise<GateResult> {
    return runInCluster("watch", plan, options, (ctx) =>
        watch(plan, {
            date: () => new Date(),
            now: () => performance.now(),
            pollSeconds: 5,
            ...options,
            ...ctx,
        }),
    );
}

async function watch(plan: WatchPlan, ctx: Context): Promise<string> {
    const { app, namespace, release } = plan;
    const { cluster, pollSeconds, signal } = ctx;
    const history = new ReleaseHistory(cluster, { namespace, configMap: plan.ledger, app });
    const rollout = new Rollout(plan, ctx);
    let failed: Reported | undefined;
    try {
        for (;;) {
            const { entries } = await history.read(signal);
            const evidence = approvalOf(entries, release)?.evidence;
            const announced = evidence?.announced;
            if (announced === undefined) return "its stakeholders do not know that it begins";
            const end = evidence?.concluded ?? evidence?.takenBack;
            if (end !== undefined) return `its stakeholders know since ${end} how it ended`;
            if (failed !== undefined) {
                if (await isTakenBack(plan, failed, ctx))
                    return await reportRollback(plan, failed, history, ctx);
            } else {
                const found = (await failedJob(plan, announced, ctx)) ?? (await rollout.failure());
                failed = found && (await report(plan, announced, found, history, ctx));
            }
            await pause(failed === undefined ? pollSeconds : pollSeconds / 5, signal);
        }
    } catch (error) {
        if (failed === undefined || !signal.aborted) throw error;
        const last = { ...ctx, signal: AbortSignal.timeout(LAST_LOOK_MILLISECONDS) };
        if (await isTakenBack(plan, failed, last)) return await reportRollback(plan, failed, history, last);
        return `its stakeholders are told that it has failed: ${failed.gate}, ${failed.reason}`;
    }
}

/** Limit of the last look: less than the time that Kubernetes gives a pod to end. */
const LAST_LOOK_MILLISECONDS = 20_000;

/** A failure that stakeholders know of, and what had the traffic then. */
type Reported = Failure & { serving: string | undefined };

/** Whether another release has taken the place of one that failed. */
async function isTakenBack(plan: WatchPlan, { serving }: Reported, ctx: Context): Promise<boolean> {
    const { release } = plan;
    const deployment = await getIfThere<Deployment>(deploymentOf(plan), ctx);
    const isGone =
        deployment === undefined ||
        versionOf(deployment) !== release.version ||
        deployment.spec.replicas === 0;
    // On warm standby a colour without traffic keeps its pods.
    return isGone || (serving !== undefined && (await runningVersion(plan, ctx)) !== serving);
}

/** Notifies of a rollback, unless the update's notice Job has done so. */
async function reportRollback(
    plan: WatchPlan,
    failed: Reported,
    history: ReleaseHistory,
    ctx: Context,
): Promise<string> {
    const { app, release, topic } = plan;
    const { entries } = await history.read(ctx.signal);
    const { ticket, evidence } = approvalOf(entries, release) ?? {};
    if (evidence !== undefined && evidence.takenBack === undefined) {
        const running = await runningVersion(plan, ctx);
        const notice = takenBack({
            ...{ ...plan, version: release.version, failed, ticket },
            ...{ skipped: evidence.skipped, dashboard: evidence.dashboard },
            serving: running === undefined ? "nothing" : `${app} ${running}`,
        });
        await publish({ topic, ...notice }, ctx);
        const at = ctx.date().toISOString();
        await history.write(
            (all) => ({ ...(approvalOf(all, release) ?? release), evidence: { ...evidence, takenBack: at } }),
            ctx.signal,
        );
    }
    return `its stakeholders are told that it has failed, ${failed.gate}, and was taken back`;
}

/** Notifies of a failure, and stores it in the history where the gate has not. */
async function report(
    plan: WatchPlan,
    announced: string,
    found: Failure,
    history: ReleaseHistory,
    ctx: Context,
): Promise<Reported> {
    const { app, release, topic, environment, colour } = plan;
    const { entries } = await history.read(ctx.signal);
    const own = entries.findLast(
        (entry) => isOfImage(entry, release) && entry.failed !== undefined && entry.failed.at >= announced,
    )?.failed;
    const failed = own ?? found;
    if (own === undefined) {
        await history.write((all) => ({ ...(approvalOf(all, release) ?? release), failed }), ctx.signal);
    }
    const { ticket, evidence } = approvalOf(entries, release) ?? {};
    // Without colours, pods of both versions may have it.
    const serving = colour && (await runningVersion(plan, ctx));
    const notice = failing({
        ...{ ...plan, environment, app, version: release.version, failed, ticket },
        ...{ replaces: evidence?.replaces, skipped: evidence?.skipped, dashboard: evidence?.dashboard },
        serving,
    });
    await publish({ topic, ...notice }, ctx);
    return { ...failed, serving };
}

function deploymentOf({ app, colour }: WatchPlan) {
    return { resource: "deployments", name: [app, colour].filter(Boolean).join("-") } as const;
}

/** The first of the release's Jobs that has failed since it was announced. */
async function failedJob(
    { app, colour, subject }: WatchPlan,
    announced: string,
    { cluster, signal }: Context,
): Promise<Failure | undefined> {
    const name = new RegExp(`^${[app, colour].filter(Boolean).join("-")}-(dump|capacity|smoke|soak)-`);
    // The API server's times are whole seconds.
    const since = Math.floor(Date.parse(announced) / 1000) * 1000;
    for (const { metadata, status } of await cluster.list<Job>("jobs", {}, signal)) {
        const [, gate] = name.exec(metadata.name) ?? [];
        const failed = status?.conditions?.find(({ type, status }) => type === "Failed" && status === "True");
        const at = failed?.lastTransitionTime ?? "";
        if (gate === undefined || failed === undefined || Date.parse(at) < since) continue;
        const labels = { "batch.kubernetes.io/job-name": metadata.name };
        const ended = (await cluster.list<Pod>("pods", labels, signal))
            .flatMap(({ status }) => status.containerStatuses ?? [])
            .flatMap(({ name, state }) =>
                state?.terminated?.exitCode ? [{ name, ...state.terminated }] : [],
            )
            .at(0);
        const words = ended?.message?.trim().replace(`FAILED ${subject}: `, "").replace(/\.$/, "");
        return {
            gate,
            at,
            reason: words || (ended ? `${ended.name} ended: ${endedBy(ended)}` : because(failed)),
        };
    }
    return undefined;
}

/** The rollout of the release's pods, for which the update waits without a gate. */
class Rollout {
    private since: number | undefined;
    private done = false;
    private lacking = "no pod was seen";

    constructor(
        private readonly plan: WatchPlan,
        private readonly ctx: Context,
    ) {}

    /** Why it has failed; undefined before it begins, while it goes on, and once it is done. */
    async failure(): Promise<Failure | undefined> {
        const { app, release, rolloutSeconds } = this.plan;
        const { cluster, now, signal } = this.ctx;
        if (this.done) return undefined;
        const deployment = await getIfThere<Deployment>(deploymentOf(this.plan), this.ctx);
        const isOwn =
            deployment !== undefined &&
            versionOf(deployment) === release.version &&
            deployment.spec.replicas !== 0;
        if (!isOwn) {
            // The update that failed may have been taken back between two looks.
            return this.since === undefined ? undefined : this.failed(`it was given up: ${this.lacking}`);
        }
        this.since ??= now();
        if (isRolledOut(deployment)) {
            this.done = true;
            return undefined;
        }
        const pods = await cluster.list<Pod>("pods", { app, [VERSION_LABEL]: release.version }, signal);
        this.lacking = describeUnready(pods);
        const isLate = now() - this.since >= rolloutSeconds * 1000;
        return isLate ? this.failed(`not done within ${rolloutSeconds} s: ${this.lacking}`) : undefined;
    }

    private failed(reason: string): Failure {
        return { gate: "rollout", at: this.ctx.date().toISOString(), reason };
    }
}

function isRolledOut({ metadata, status }: Deployment): boolean {
    const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, readyReplicas = 0 } = status;
    return (
        observedGeneration >= (metadata.generation ?? 0) &&
        replicas > 0 &&
        updatedReplicas === replicas &&
        readyReplicas === replicas
    );
}

/** Most pods that a reason names. */
const MOST_PODS = 3;

function describeUnready(pods: readonly Pod[]): string {
    const unready = pods.filter((pod) => !isReady(pod));
    const reasons = unready.map((pod) => `${pod.metadata.name} ${unreadyBecause(pod)}`);
    const more = reasons.length > MOST_PODS ? [`${reasons.length - MOST_PODS} more are not ready`] : [];
    return [...reasons.slice(0, MOST_PODS), ...more].join("; ") || `${pods.length} pods, all of them ready`;
}

/** Checks what was read from a plan's file; throws an error with path, found and expected. */
export const parseWatchPlan = (raw: unknown): WatchPlan => parse(watchPlan, raw);

if (require.main === module) {
    void gateMain(parseWatchPlan, runWatch);
}
