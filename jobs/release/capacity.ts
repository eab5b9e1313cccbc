import { GateError } from "../lib/gate";
import { reasonOf } from "../lib/http";
import {
    ApiError,
    type Autoscaler,
    because,
    type Deployment,
    isReady,
    type Pod,
    unreadyBecause,
} from "../lib/kubernetes";
import { measureBaseline } from "./baseline";
import { podsOf, type ReleaseContext } from "./context";
import { checkAbort } from "./history";
import { type CapacityPlan, type SoakPlan } from "./plan";
import { checkImage } from "./podHealth";
import { liveColour } from "./traffic";

/**
 * Waits until the target has as many ready pods as the active colour; then measures the active colour before the
 * switch.
 */
export async function capacity(plan: CapacityPlan, ctx: ReleaseContext): Promise<string> {
    const line = await waitForPods(plan, ctx);
    await measureBaseline(plan, ctx);
    return line;
}

async function waitForPods(plan: CapacityPlan, ctx: ReleaseContext): Promise<string> {
    const { cluster, log, signal, sleep, pollSeconds } = ctx;
    const name = `${plan.app}-${plan.colour}`;
    let wanted = 0;
    let last = "";
    let lacking = "nothing was seen yet";
    try {
        for (;;) {
            // Otherwise only the soak would stop it, with users' traffic on it.
            await checkAbort(plan, ctx);
            // Never lowers the number: failing pods of the active colour do not reduce it.
            wanted = Math.max(wanted, await wantedPods(plan, ctx));
            const deployment = await cluster.get<Deployment>({ resource: "deployments", name }, signal);
            // An interrupted update leaves its gate running, and the next update may have rolled back meanwhile.
            if (deployment.spec.replicas === 0)
                throw new GateError(`${name} is scaled to 0: it is no target any more`);
            await raise(deployment, wanted, ctx);
            const pods = await podsOf(plan, plan.colour, ctx);
            const ready = readyPods(deployment);
            if (ready >= wanted) {
                checkImage(pods.filter(isReady), plan.release.image);
                return `ready pods: ${ready}, needed: ${wanted}`;
            }

            const progress = `${ready} of ${wanted} pods ready`;
            lacking = `${progress}${absences(deployment, pods, wanted)}`;
            if (progress !== last) log(`  ${name}: ${progress}`);
            last = progress;
            await sleep(pollSeconds, signal);
        }
    } catch (error) {
        if (!signal.aborted) throw error;
        throw new GateError(`${reasonOf(signal)}, ${lacking}`);
    }
}

/** The number of the active colour's ready pods, within bounds; the minimum without an active colour. */
async function wantedPods(plan: CapacityPlan, ctx: ReleaseContext): Promise<number> {
    const { min, max } = await boundsOf(plan, ctx);
    const live = await liveColour(plan, ctx);
    if (live === undefined || live === plan.colour) return min;
    const ready = (await podsOf(plan, live, ctx)).filter(isReady).length;
    return Math.min(Math.max(ready, min), max);
}

/**
 * Bounds of the target's autoscaler, read from the cluster instead of the plan, so that scaling changes no plan and
 * runs no gate again.
 */
export async function boundsOf(
    { app, colour }: CapacityPlan | SoakPlan,
    { cluster, signal }: ReleaseContext,
): Promise<{ min: number; max: number }> {
    const place = { resource: "horizontalpodautoscalers", name: `${app}-${colour}` } as const;
    const { spec } = await cluster.get<Autoscaler>(place, signal);
    return { min: spec.minReplicas ?? 1, max: spec.maxReplicas };
}

/** Scales up if the number is lower. The autoscaler may do the same, but more slowly. */
async function raise(
    { metadata: { name, resourceVersion }, spec: { replicas = 1 } }: Deployment,
    wanted: number,
    { cluster, log, signal }: ReleaseContext,
): Promise<void> {
    if (replicas >= wanted) return;
    try {
        await cluster.patch(
            { resource: "deployments", name, subresource: "scale" },
            // With the resource version, so that a higher number set meanwhile is not lowered.
            { metadata: { resourceVersion }, spec: { replicas: wanted } },
            signal,
        );
        log(`  ${name}: scaled from ${replicas} to ${wanted}`);
    } catch (error) {
        // It changed meanwhile; the next check reads it.
        if (!(error instanceof ApiError && error.status === 409)) throw error;
    }
}

/** Ready pods of the current Deployment; 0 while old pods count among them. */
function readyPods({ metadata, status }: Deployment): number {
    const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, readyReplicas = 0 } = status;
    return observedGeneration >= (metadata.generation ?? 0) && updatedReplicas === replicas
        ? readyReplicas
        : 0;
}

/** Describes the missing pods, with reasons. */
function absences({ metadata, status }: Deployment, pods: Pod[], wanted: number): string {
    const unready = pods.filter((pod) => !isReady(pod));
    const reasons = unready.slice(0, 5).map((pod) => `${pod.metadata.name} ${unreadyBecause(pod)}`);
    if (unready.length > 5) reasons.push(`${unready.length - 5} more are not ready`);
    // For example an exhausted quota, which prevents pods.
    const failure = status.conditions?.find(
        ({ type, status }) => type === "ReplicaFailure" && status === "True",
    );
    if (failure !== undefined) reasons.push(because(failure));
    if (pods.length < wanted) reasons.push(`${metadata.name} has ${pods.length} pods`);
    return reasons.map((reason) => `; ${reason}`).join("");
}
