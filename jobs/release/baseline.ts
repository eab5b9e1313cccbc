import { GateError } from "../lib/gate";
import { type Pod } from "../lib/kubernetes";
import { type Baseline, type HistoryEntry, isCompleted } from "../lib/releaseHistory";
import { podsOf, type ReleaseContext, timestamp } from "./context";
import { backgroundOf, errorPercent, usersOf } from "./counts";
import { checkAbort, isOf, recall, updatedEntry } from "./history";
import { type BaselinePlan, type CapacityPlan } from "./plan";
import { type Countable, PodCounter } from "./podMetrics";
import { PrometheusCounter } from "./prometheus";
import { skippedRoutes } from "./syntheticRequests";
import { liveColour } from "./traffic";

/**
 * Measures the target's requests without users and the active colour's requests, and stores both in the release
 * history. Skips known releases, and apps without another active colour.
 */
export async function measureBaseline(plan: CapacityPlan, ctx: ReleaseContext): Promise<void> {
    const { log, history, signal } = ctx;
    if (plan.baseline === undefined) return;
    const live = await liveColour(plan, ctx);
    if (live === undefined || live === plan.colour) return;
    const { entries, blank } = await recall(plan, ctx);
    if (blank || entries.some((entry) => isOf(plan, entry) && isCompleted(entry))) return;

    log(`  measuring ${live}, and ${plan.colour} without users, for ${plan.baseline.seconds} s`);
    const baseline = await measure(plan, plan.baseline, live, ctx);
    log(`  before the switch: ${describeBaseline(baseline)}`);
    await history.write((all) => updatedEntry(plan, all, { baseline }), signal);
}

async function measure(
    plan: CapacityPlan,
    { seconds, metrics, routes }: BaselinePlan,
    live: string,
    ctx: ReleaseContext,
): Promise<Baseline> {
    const { now, signal, sleep, pollSeconds } = ctx;
    const skipped = await skippedRoutes(routes, ctx);
    const common = { at: timestamp(ctx), colour: live, seconds, skipped };
    if ("prometheus" in metrics) {
        // The window ends now, so that there is no wait.
        const users = usersOf(await new PrometheusCounter(metrics).read(seconds, ctx), undefined, 0);
        return { ...common, requests: users.requests, errors: users.errors, p95Seconds: users.p95 };
    }
    const active = new PodCounter(metrics);
    const idle = new PodCounter(metrics);
    const start = now();
    for (;;) {
        const elapsed = (now() - start) / 1000;
        const read = async (counter: PodCounter, colour: string) =>
            counter.read(countable(await podsOf(plan, colour, ctx)), elapsed, signal);
        const [counts, without] = await Promise.all([read(active, live), read(idle, plan.colour)]);
        if (elapsed >= seconds) {
            const unknown = active.unknownLabels();
            if (unknown.length > 0) {
                throw new GateError(
                    `${metrics.requests.counter} has no label ${unknown.join(", ")} to tell users' requests by: ` +
                        `it has ${active.seenLabels().join(", ")}`,
                );
            }
            const background = backgroundOf(without);
            const users = usersOf(counts, background, 0);
            return {
                ...common,
                requests: users.requests,
                errors: users.errors,
                p95Seconds: users.p95,
                background,
                counting: counts.counting,
            };
        }
        await sleep(Math.min(pollSeconds, seconds - elapsed), signal);
        await checkAbort(plan, ctx);
    }
}

/** Background to subtract: measured for this release, otherwise for the app's last measured one. */
export function backgroundFor(entries: readonly HistoryEntry[], own: Baseline | undefined) {
    return own?.background ?? entries.findLast(({ baseline }) => baseline?.background)?.baseline?.background;
}

/** A baseline as one line. */
export function describeBaseline({ colour, seconds, requests, errors, p95Seconds }: Baseline): string {
    const rate = errorPercent({ requests, errors }).toFixed(2);
    const p95 = p95Seconds === undefined ? "" : `, p95 ${milliseconds(p95Seconds)}`;
    return `${colour} had ${Math.round(requests)} requests in ${seconds} s, ${Math.round(errors)} errors (${rate} %)${p95}`;
}

export function milliseconds(seconds: number): string {
    return `${Math.round(seconds * 1000)} ms`;
}

/** Pods that accept requests. */
export function countable(pods: readonly Pod[]): Countable[] {
    return pods.flatMap(({ metadata: { uid, name, deletionTimestamp }, status: { phase, podIP } }) =>
        phase === "Running" && podIP !== undefined && deletionTimestamp === undefined
            ? { uid, name, ip: podIP }
            : [],
    );
}
