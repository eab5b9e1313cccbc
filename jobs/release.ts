import * as z from "zod/mini";
import { runInCluster } from "./lib/clusterGate";
import { GateError, type GateContext, gateMain, throwIfStopped, type GateResult } from "./lib/gate";
import { reasonOf } from "./lib/http";
import {
    ApiError,
    type Autoscaler,
    because,
    type Deployment,
    endedBy,
    type EndpointSlice,
    type Ingress,
    isReady,
    type Kubernetes,
    pause,
    type Pod,
    type Service,
    unreadyBecause,
} from "./lib/kubernetes";
import {
    isCompleted,
    ReleaseHistory,
    type HistoryEntry,
    type History,
    nextRevision,
    unreadableKey,
    untested,
} from "./lib/releaseHistory";
import {
    type Countable,
    type Counts,
    metricsSource,
    type MetricsSource,
    PodCounting,
    PrometheusCounting,
} from "./lib/metrics";
import { number, objectName, oneOf, parse, seconds, text, variants, wholeNumber } from "./lib/schema";
import { runSmoke, smokePlan } from "./smoke";

/** Fields of every gate of a release. */
const common = {
    /** Who is being released, for the lines printed: "mcp-server v2.1.0 (green)". */
    subject: text,
    /** Whole-run limit in seconds; when it is over, the gate fails. */
    deadlineSeconds: seconds,
    namespace: objectName,
    /** Label `app` of the pods, name of the live Service, and key of the release's history in the ledger. */
    app: objectName,
    /** The target: its pods are labelled `version: <colour>`, its Deployment is `<app>-<colour>`. */
    colour: oneOf("blue", "green"),
    /** The release, as the ledger remembers it. */
    release: z.strictObject({
        /** Changes with whatever would have to be tested again. */
        hash: text,
        version: text,
        image: text,
        /** The change request it was approved under. */
        ticket: z.optional(text),
    }),
    /** Name of the ConfigMap that remembers the releases. It must exist. */
    ledger: objectName,
};

/** The target has at least as many ready pods as the live colour. */
const capacityPlan = z.strictObject({ gate: z.literal("capacity"), ...common });

/** The target answers as planned, before it gets traffic. */
const releaseSmokePlan = z.strictObject({
    gate: z.literal("smoke"),
    ...common,
    /** With the target colour's own Service, http://<app>-<colour>:<port>. */
    smoke: smokePlan,
});

/** The target, live now, does well for a while. */
const soakPlan = z
    .strictObject({
        gate: z.literal("soak"),
        ...common,
        /** Less than the deadline. */
        durationSeconds: seconds,
        /** Highest share of failed requests, in percent of all requests; more fails the release. */
        maxErrorPercent: number(0, 100),
        /** With fewer requests, their error rate says nothing: the gate fails as inconclusive. */
        minimumRequests: wholeNumber(0, Number.MAX_SAFE_INTEGER),
        /** Whether fewer requests are good enough, as where nobody works at night. A high error rate still fails. */
        allowNoData: z.boolean(),
        /**
         * How long the gate lasts at least, in seconds, even for a release that is known: what follows the switch by itself,
         * as a load balancer does, must have left the old colour before that is scaled away. Default: 0.
         */
        lingerSeconds: z.optional(seconds),
        /** Ingress whose weights must have moved the traffic, too. Default: the Service alone moves it. */
        ingress: z.optional(objectName),
        metrics: metricsSource,
    })
    .check((ctx) => {
        const { durationSeconds, deadlineSeconds } = ctx.value;
        if (deadlineSeconds > durationSeconds) return;
        ctx.issues.push({
            code: "custom",
            input: deadlineSeconds,
            path: ["deadlineSeconds"],
            message: `more than durationSeconds (${durationSeconds})`,
        });
    });

const releasePlan = variants("gate", [capacityPlan, releaseSmokePlan, soakPlan]);

export type CapacityPlan = z.infer<typeof capacityPlan>;
export type ReleaseSmokePlan = z.infer<typeof releaseSmokePlan>;
export type SoakPlan = z.infer<typeof soakPlan>;

/** What one gate of a blue-green release checks. */
export type ReleasePlan = CapacityPlan | ReleaseSmokePlan | SoakPlan;

/** Arguments common to all gates of a release. */
export type GateBase = Omit<CapacityPlan, "gate">;

/** A gate's surroundings, and how fast it looks. */
export interface ReleaseOptions extends GateContext {
    /** Default: as the ServiceAccount of the pod this runs in. */
    cluster?: Kubernetes;
    /** Time of day, for the ledger. Default: now. */
    date?: () => Date;
    /** Between two looks at the cluster. Default: 5. */
    pollSeconds?: number;
    /** Between two lines about a soak. Default: 60. */
    lineSeconds?: number;
    /** How long the Service may take to follow the switch. Default: 60. */
    settleSeconds?: number;
}

/** What a gate works with. */
type Context = Required<ReleaseOptions> & { ledger: ReleaseHistory };

/** Runs one gate of a release. Never rejects: whatever stops it is its verdict. */
export function runRelease(plan: ReleasePlan, options: ReleaseOptions): Promise<GateResult> {
    return runInCluster(plan.gate, plan, options, ({ cluster, signal }) => {
        const { namespace, app } = plan;
        const surroundings: Context = {
            now: () => performance.now(),
            date: () => new Date(),
            pollSeconds: 5,
            lineSeconds: 60,
            settleSeconds: 60,
            ...options,
            cluster,
            ledger: new ReleaseHistory(cluster, { namespace, configMap: plan.ledger, app }),
            signal,
        };
        switch (plan.gate) {
            case "capacity":
                return capacity(plan, surroundings);
            case "smoke":
                return smoke(plan, surroundings);
            case "soak":
                return soak(plan, surroundings);
        }
    });
}

async function capacity(plan: CapacityPlan, ctx: Context): Promise<string> {
    const { cluster, log, signal, pollSeconds } = ctx;
    const name = `${plan.app}-${plan.colour}`;
    let wanted = 0;
    let told = "";
    let lacking = "nothing was seen yet";
    try {
        for (;;) {
            // Never fewer than before: pods of the live colour that falter meanwhile are no reason to ask for less.
            wanted = Math.max(wanted, await wantedPods(plan, ctx));
            const deployment = await cluster.get<Deployment>({ resource: "deployments", name }, signal);
            // An update that was interrupted leaves its gate behind, and the next one may have gone back meanwhile.
            if (deployment.spec.replicas === 0)
                throw new GateError(`${name} is scaled to 0: it is no target any more`);
            await raise(deployment, wanted, ctx);
            const pods = await podsOf(plan, plan.colour, ctx);
            const ready = readyPods(deployment);
            if (ready >= wanted) return `ready pods: ${ready}, needed: ${wanted}`;

            const progress = `${ready} of ${wanted} pods ready`;
            lacking = `${progress}${absences(deployment, pods, wanted)}`;
            if (progress !== told) log(`  ${name}: ${progress}`);
            told = progress;
            await pause(pollSeconds, signal);
        }
    } catch (error) {
        if (!signal.aborted) throw error;
        throw new GateError(`${reasonOf(signal)}, ${lacking}`);
    }
}

/** As many as the live colour has ready, within bounds; the fewest allowed where there is none to compare with. */
async function wantedPods(plan: CapacityPlan, ctx: Context): Promise<number> {
    const { min, max } = await boundsOf(plan, ctx);
    const live = await liveColour(plan, ctx);
    if (live === undefined || live === plan.colour) return min;
    const ready = (await podsOf(plan, live, ctx)).filter(isReady).length;
    return Math.min(Math.max(ready, min), max);
}

/**
 * Bounds of the target's autoscaler. They are asked for rather than told, so that scaling changes no gate's plan and
 * runs no gate again.
 */
async function boundsOf(
    { app, colour }: GateBase,
    { cluster, signal }: Context,
): Promise<{ min: number; max: number }> {
    const place = { resource: "horizontalpodautoscalers", name: `${app}-${colour}` } as const;
    const { spec } = await cluster.get<Autoscaler>(place, signal);
    return { min: spec.minReplicas ?? 1, max: spec.maxReplicas };
}

/** Which pods the Service sends traffic to, if there is a Service. */
async function liveColour({ app }: GateBase, { cluster, signal }: Context): Promise<string | undefined> {
    try {
        const { spec } = await cluster.get<Service>({ resource: "services", name: app }, signal);
        return spec.selector?.["version"];
    } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
    }
}

function podsOf({ app }: GateBase, colour: string, { cluster, signal }: Context): Promise<Pod[]> {
    return cluster.list<Pod>("pods", { app, version: colour }, signal);
}

/** Asks for more pods when fewer are asked for. The autoscaler may do the same, but takes its time. */
async function raise(
    { metadata: { name, resourceVersion }, spec: { replicas = 1 } }: Deployment,
    wanted: number,
    { cluster, log, signal }: Context,
): Promise<void> {
    if (replicas >= wanted) return;
    try {
        await cluster.patch(
            { resource: "deployments", name, subresource: "scale" },
            // With the version, so that a higher number that somebody set just now is not taken down.
            { metadata: { resourceVersion }, spec: { replicas: wanted } },
            signal,
        );
        log(`  ${name}: scaled from ${replicas} to ${wanted}`);
    } catch (error) {
        // It changed in between, and the next look shows how.
        if (!(error instanceof ApiError && error.status === 409)) throw error;
    }
}

/** Ready pods of the Deployment as it is now; none while those of an earlier template are among them. */
function readyPods({ metadata, status }: Deployment): number {
    const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, readyReplicas = 0 } = status;
    return observedGeneration >= (metadata.generation ?? 0) && updatedReplicas === replicas
        ? readyReplicas
        : 0;
}

/** In words, which pods are missing and why. */
function absences({ metadata, status }: Deployment, pods: Pod[], wanted: number): string {
    const unready = pods.filter((pod) => !isReady(pod));
    const reasons = unready.slice(0, 5).map((pod) => `${pod.metadata.name} ${unreadyBecause(pod)}`);
    if (unready.length > 5) reasons.push(`${unready.length - 5} more are not ready`);
    // Such as a quota that is used up: it says why pods are not even created.
    const failure = status.conditions?.find(
        ({ type, status }) => type === "ReplicaFailure" && status === "True",
    );
    if (failure !== undefined) reasons.push(because(failure));
    if (pods.length < wanted) reasons.push(`${metadata.name} has ${pods.length} pods`);
    return reasons.map((reason) => `; ${reason}`).join("");
}

async function smoke(plan: ReleaseSmokePlan, ctx: Context): Promise<string> {
    const { ledger, signal } = ctx;
    const { version } = plan.release;
    const memory = await recall(plan, ctx);
    const known = memory.entries.find((entry) => isOf(plan, entry) && entry.smokeAt !== undefined);
    if (known !== undefined) return `${version} passed at ${known.smokeAt}: not asked again`;

    const { passed, failed } = await runSmoke(plan.smoke, ctx);
    throwIfStopped(signal);
    const { length } = plan.smoke.requests;
    if (failed.length > 0)
        throw new GateError(`${failed.length} of ${length} requests failed: ${failed.join(", ")}`);
    await ledger.write((entries) => renewed(plan, entries, { smokeAt: timestamp(ctx) }), signal);
    return `${passed} of ${length} requests answered as planned`;
}

async function soak(plan: SoakPlan, ctx: Context): Promise<string> {
    const { ledger, now, signal } = ctx;
    const { version } = plan.release;
    const start = now();
    const memory = await recall(plan, ctx);
    const known = memory.entries.find((entry) => isOf(plan, entry) && isCompleted(entry));
    if (known !== undefined) {
        await awaitScaleDownDelay(plan, start, ctx);
        return `${version} was completed at ${known.completedAt}: not asked again`;
    }

    await waitForEndpoints(plan, ctx);
    const note = memory.blank ? "first install: nothing to compare with" : undefined;
    const line = note ?? (await watch(plan, ctx));
    if (note === undefined) await awaitScaleDownDelay(plan, start, ctx);
    const { revision } = await ledger.write(
        (entries) =>
            renewed(plan, entries, { revision: nextRevision(entries), completedAt: timestamp(ctx), note }),
        signal,
    );
    return `${line}; revision ${revision}`;
}

/** Waits until the gate has lasted as long as it must at least. */
async function awaitScaleDownDelay(
    { lingerSeconds = 0 }: SoakPlan,
    start: number,
    ctx: Context,
): Promise<void> {
    const { log, now, signal } = ctx;
    const left = lingerSeconds - (now() - start) / 1000;
    if (left <= 0) return;
    log(
        `  the old colour stays for ${Math.ceil(left)} s more: the load balancer follows the switch by itself`,
    );
    await pause(left, signal);
}

/** Reads the ledger, and says so when it cannot be understood. */
async function recall({ app }: GateBase, { ledger, log, signal }: Context): Promise<History> {
    const memory = await ledger.read(signal);
    if (memory.corrupt !== undefined) {
        log(
            `the ledger's ${app} is unreadable: no release counts as known, nor this one as the first; ` +
                `what stands there is kept as ${unreadableKey(app)}`,
        );
    }
    return memory;
}

function isOf({ release }: GateBase, { hash }: HistoryEntry): boolean {
    return hash === release.hash;
}

/** The release's entry with news in it, and with what was approved of its image. */
function renewed(plan: GateBase, entries: HistoryEntry[], news: Partial<HistoryEntry>): HistoryEntry {
    const { release, colour } = plan;
    const own = entries.find((entry) => isOf(plan, entry));
    return { ...untested(entries, release), ...own, ...release, colour, ...news };
}

function timestamp({ date }: Context): string {
    return date().toISOString();
}

/** Waits until traffic goes to ready pods of the colour, and to no others. */
async function waitForEndpoints(plan: SoakPlan, ctx: Context): Promise<void> {
    const { log, now, signal, pollSeconds, settleSeconds } = ctx;
    const start = now();
    for (let told = ""; ;) {
        const wrong = await misrouting(plan, ctx);
        if (wrong === undefined) return;
        if (now() - start >= settleSeconds * 1000)
            throw new GateError(`${wrong}, even after ${settleSeconds} s`);
        if (wrong !== told) log(`  ${wrong}: waiting for up to ${settleSeconds} s`);
        told = wrong;
        await pause(Math.min(1, pollSeconds), signal);
    }
}

/** In words, what is wrong with where the traffic goes. */
async function misrouting(plan: SoakPlan, ctx: Context): Promise<string | undefined> {
    const { cluster, signal } = ctx;
    const { app, colour } = plan;
    const selection = await selectorMismatch(plan, ctx);
    if (selection !== undefined) return selection;

    const labels = { "kubernetes.io/service-name": app };
    const slices = await cluster.list<EndpointSlice>("endpointslices", labels, signal);
    // Those that are on their way out get traffic only when there are no others.
    const endpoints = slices
        .flatMap((slice) => slice.endpoints ?? [])
        .filter(({ conditions }) => conditions?.terminating !== true);
    if (endpoints.length === 0) return `Service ${app} has no endpoints`;

    const ready = new Set((await podsOf(plan, colour, ctx)).filter(isReady).map((pod) => pod.metadata.name));
    const other = endpoints.find(
        ({ conditions, targetRef }) => conditions?.ready === false || !ready.has(targetRef?.name ?? ""),
    );
    return (
        other && `Service ${app} holds ${other.targetRef?.name ?? "an address"}, no ready pod of ${colour}`
    );
}

/** Annotation of an Ingress that says where an ALB sends the traffic of a workload. */
const ACTION = "alb.ingress.kubernetes.io/actions.";

/** Services that an action of an ALB sends traffic to. */
function weighted(action: string): (string | undefined)[] {
    try {
        const { forwardConfig } = JSON.parse(action) as ForwardAction;
        return (forwardConfig?.targetGroups ?? [])
            .filter(({ weight }) => weight !== 0)
            .map(({ serviceName }) => serviceName);
    } catch {
        return [];
    }
}

/** As much as is read of it; anything may stand there. */
interface ForwardAction {
    forwardConfig?: { targetGroups?: { serviceName?: string; weight?: number }[] };
}

async function selectorMismatch(
    { app, colour, ingress }: SoakPlan,
    { cluster, signal }: Context,
): Promise<string | undefined> {
    const { spec } = await cluster.get<Service>({ resource: "services", name: app }, signal);
    const selected = spec.selector?.["version"];
    if (selected !== colour) {
        return `Service ${app} selects ${selected === undefined ? "no version" : `version=${selected}`}, not ${colour}`;
    }
    if (ingress === undefined) return undefined;
    const { metadata } = await cluster.get<Ingress>({ resource: "ingresses", name: ingress }, signal);
    const services = weighted(metadata.annotations?.[`${ACTION}${app}`] ?? "");
    return services.length === 1 && services[0] === `${app}-${colour}`
        ? undefined
        : `Ingress ${ingress} sends the traffic to ${services.join(" and ") || "no Service"}, not to ${app}-${colour}`;
}

/**
 * How the other colour did before the switch, to compare with: its pods are still there, and what they counted. With
 * Prometheus it is the same length of time as will be watched.
 */
async function baseline(plan: SoakPlan, ctx: Context): Promise<string> {
    const { metrics, colour, durationSeconds } = plan;
    const { signal } = ctx;
    if ("prometheus" in metrics) {
        const tally = await new PrometheusCounting(metrics).read([], durationSeconds, signal);
        return `before the switch: ${counted(tally)}`;
    }
    const other = colour === "blue" ? "green" : "blue";
    const pods = countable(await podsOf(plan, other, ctx));
    if (pods.length === 0) return `before the switch: no pods of ${other} are left to tell`;
    const tally = await new PodCounting(metrics, "their start").read(pods, 0, signal);
    return `before the switch: ${other} had ${counted(tally)}`;
}

/** Watches the release with live traffic; returns how it did. */
async function watch(plan: SoakPlan, ctx: Context): Promise<string> {
    const { log, now, signal, pollSeconds, lineSeconds } = ctx;
    const { durationSeconds, metrics } = plan;
    const counting: MetricsSource =
        "prometheus" in metrics
            ? new PrometheusCounting(metrics, Math.min(1, pollSeconds))
            : new PodCounting(metrics);
    const health = new Health((await boundsOf(plan, ctx)).min);
    log(`  ${await baseline(plan, ctx)}`);
    log(`  watching for ${durationSeconds} s`);
    const start = now();
    for (let nextLine = 0; ;) {
        const pods = await look(plan, ctx);
        const state = health.check(pods);
        const elapsed = (now() - start) / 1000;
        const over = elapsed >= durationSeconds;
        const line = over || elapsed >= nextLine;
        if (line || counting.frequent) {
            const tally = await counting.read(countable(pods), elapsed, signal);
            if (line) log(`  ${Math.round(elapsed)} of ${durationSeconds} s: ${counted(tally)}, ${state}`);
            evaluate(plan, tally, over);
            if (over) return `${durationSeconds} s with ${counted(tally)}`;
            if (line) nextLine = (Math.floor(elapsed / lineSeconds) + 1) * lineSeconds;
        }
        await pause(Math.min(pollSeconds, durationSeconds - elapsed), signal);
    }
}

/** The pods of the release, while it is live and wanted. */
async function look(plan: SoakPlan, ctx: Context): Promise<Pod[]> {
    const { ledger, signal } = ctx;
    const selection = await selectorMismatch(plan, ctx);
    if (selection !== undefined) throw new GateError(`${selection} any more`);
    const { namespace, app, release } = plan;
    const { abort } = await ledger.read(signal);
    if (abort !== undefined && (abort === release.version || abort === release.hash)) {
        throw new GateError(
            `aborted by an operator: ${app}.abort in ConfigMap ${plan.ledger} of ${namespace} is ${abort}, ` +
                "and must be removed before this release is tried again",
        );
    }
    return podsOf(plan, plan.colour, ctx);
}

/** What pods must not do during a soak. */
class Health {
    /** Restarts of each container at the first look; those of later pods begin with 0. */
    private began: Map<string, number> | undefined;
    /** Looks in a row that found too few ready pods. */
    private lacking = 0;

    constructor(
        /** Fewest pods that must stay ready: the autoscaler's minimum. */
        private readonly minReady: number,
    ) {}

    /** How the pods are, in words; throws {@link GateError} when that is no longer acceptable. */
    check(pods: Pod[]): string {
        const containers = pods.flatMap(({ metadata, status }) =>
            (status.containerStatuses ?? []).map((container) => ({
                ...container,
                key: `${metadata.uid}/${container.name}`,
                pod: metadata.name,
            })),
        );
        this.began ??= new Map(containers.map(({ key, restartCount }) => [key, restartCount]));
        const began = this.began;
        const restarted = containers.find(({ key, restartCount }) => restartCount > (began.get(key) ?? 0));
        if (restarted !== undefined) {
            const { pod, name, lastState } = restarted;
            const cause = lastState?.terminated && ` after ${endedBy(lastState.terminated)}`;
            throw new GateError(`container ${name} of ${pod} was restarted${cause ?? ""}`);
        }

        const { minReady } = this;
        const unready = pods.filter((pod) => !isReady(pod));
        const ready = pods.length - unready.length;
        this.lacking = ready < minReady ? this.lacking + 1 : 0;
        if (this.lacking >= 2) {
            const reasons = unready.slice(0, 5).map((pod) => `; ${pod.metadata.name} ${unreadyBecause(pod)}`);
            throw new GateError(`ready pods: ${ready}, needed: ${minReady}${reasons.join("")}`);
        }
        return `${ready} pods ready, no restarts`;
    }
}

/** Those that can be asked. */
function countable(pods: Pod[]): Countable[] {
    return pods.flatMap(({ metadata: { uid, name, deletionTimestamp }, status: { phase, podIP } }) =>
        phase === "Running" && podIP !== undefined && deletionTimestamp === undefined
            ? { uid, name, ip: podIP }
            : [],
    );
}

/**
 * Throws {@link GateError} when the errors are too many: at the end, or when they are so many before that the end
 * would hardly change it; and at the end, when the requests are too few to say.
 */
function evaluate(plan: SoakPlan, tally: Counts, over: boolean): void {
    const { maxErrorPercent, minimumRequests, allowNoData } = plan;
    const enough = tally.requests >= minimumRequests;
    const limit = over ? maxErrorPercent : 2 * maxErrorPercent;
    if ((over || enough) && percent(tally) > limit) {
        throw new GateError(`${counted(tally)}; at most ${maxErrorPercent} % are allowed`);
    }
    if (over && !enough && !allowNoData) {
        throw new GateError(`inconclusive, ${counted(tally)}; ${minimumRequests} requests are needed`);
    }
}

/** Share of failed requests; errors that no request belongs to are no less than all of them. */
function percent({ requests, errors }: Counts): number {
    return errors === 0 ? 0 : (100 * errors) / Math.max(requests, errors);
}

function counted(tally: Counts): string {
    const { requests, errors, error: error } = tally;
    const whole = (count: number) => Math.round(count);
    const rate = `${whole(requests)} requests, ${whole(errors)} errors (${percent(tally).toFixed(2)} %)`;
    return error === undefined ? rate : `${rate}, ${error}`;
}

/** Checks what was read from a plan's file; throws an error with path, found and expected. */
export function parseReleasePlan(raw: unknown): ReleasePlan {
    return parse(releasePlan, raw);
}

if (require.main === module) {
    void gateMain(parseReleasePlan, runRelease);
}
