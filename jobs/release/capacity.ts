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
import { isCompleted } from "../lib/releaseHistory";
import { measureBaseline } from "./baseline";
import { podsOf, type ReleaseContext } from "./context";
import { isOf, throwIfAborted } from "./history";
import { type CapacityPlan, type SoakPlan } from "./plan";
import { checkImage } from "./podHealth";
import { liveColour } from "./traffic";

/** Waits until the target has as many ready pods as the live colour; then measures the live colour before the switch. */
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
            // The soak would stop it only with users' traffic on it.
            await checkAbort(plan, ctx);
            // Never fewer than before: pods of the live colour that falter meanwhile are no reason to ask for less.
            wanted = Math.max(wanted, await wantedPods(plan, ctx));
            const deployment = await cluster.get<Deployment>({ resource: "deployments", name }, signal);
            // An update that was interrupted leaves its gate behind, and the next one may have gone back meanwhile.
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

/** Throws {@link GateError} when an operator has aborted the release. One that was completed is a way back: it is not stopped. */
async function checkAbort(plan: CapacityPlan, { history, signal }: ReleaseContext): Promise<void> {
    const known = await history.read(signal);
    if (!known.entries.some((entry) => isOf(plan, entry) && isCompleted(entry))) throwIfAborted(plan, known);
}

/** As many as the live colour has ready, within bounds; the fewest allowed where there is none to compare with. */
async function wantedPods(plan: CapacityPlan, ctx: ReleaseContext): Promise<number> {
    const { min, max } = await boundsOf(plan, ctx);
    const live = await liveColour(plan, ctx);
    if (live === undefined || live === plan.colour) return min;
    const ready = (await podsOf(plan, live, ctx)).filter(isReady).length;
    return Math.min(Math.max(ready, min), max);
}

/**
 * Bounds of the target's autoscaler. They are read from the cluster and not from the plan, so that scaling changes no
 * gate's plan and runs no gate again.
 */
export async function boundsOf(
    { app, colour }: CapacityPlan | SoakPlan,
    { cluster, signal }: ReleaseContext,
): Promise<{ min: number; max: number }> {
    const place = { resource: "horizontalpodautoscalers", name: `${app}-${colour}` } as const;
    const { spec } = await cluster.get<Autoscaler>(place, signal);
    return { min: spec.minReplicas ?? 1, max: spec.maxReplicas };
}

/** Asks for more pods when fewer are asked for. The autoscaler may do the same, but takes its time. */
async function raise(
    { metadata: { name, resourceVersion }, spec: { replicas = 1 } }: Deployment,
    wanted: number,
    { cluster, log, signal }: ReleaseContext,
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

/** Describes which pods are missing and why. */
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
