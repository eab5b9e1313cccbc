import { GateError } from "../lib/gate";
import { type Pod } from "../lib/kubernetes";
import { type Baseline, type HistoryEntry, isCompleted, nextRevision } from "../lib/releaseHistory";
import { backgroundFor, countable, describeBaseline, milliseconds } from "./baseline";
import { boundsOf } from "./capacity";
import { podsOf, type ReleaseContext, timestamp } from "./context";
import { type Background, type Counts, errorPercent, type UserTraffic, usersOf } from "./counts";
import { isOf, recall, throwIfAborted, updatedEntry } from "./history";
import { type SoakPlan } from "./plan";
import { PodCounter } from "./podMetrics";
import { PodHealth } from "./podHealth";
import { PrometheusCounter } from "./prometheus";
import { SyntheticRequests } from "./syntheticRequests";
import { endpointsOf, selectorMismatch, waitForEndpoints } from "./traffic";
import { WatchedMetrics } from "./watchedMetrics";

/** Measures the release with live traffic, unless the history has it as completed or it is the first. */
export async function soak(plan: SoakPlan, ctx: ReleaseContext): Promise<string> {
    const { history, now, signal } = ctx;
    const { version } = plan.release;
    const start = now();
    const { entries, blank } = await recall(plan, ctx);
    const known = entries.find((entry) => isOf(plan, entry) && isCompleted(entry));
    if (known !== undefined) {
        await awaitScaleDownDelay(plan, start, ctx);
        return `${version} was completed at ${known.completedAt}: not tested again`;
    }

    await waitForEndpoints(plan, ctx);
    const note = blank ? "first install: nothing to compare with" : undefined;
    const line = note ?? (await new Watch(plan, entries, ctx).run((await boundsOf(plan, ctx)).min));
    if (note === undefined) await awaitScaleDownDelay(plan, start, ctx);
    const { revision } = await history.write(
        (all) => updatedEntry(plan, all, { revision: nextRevision(all), completedAt: timestamp(ctx), note }),
        signal,
    );
    return `${line}; revision ${revision}`;
}

/** Waits until the minimum duration of the gate. */
async function awaitScaleDownDelay(
    { lingerSeconds = 0 }: SoakPlan,
    start: number,
    { log, now, signal, sleep }: ReleaseContext,
): Promise<void> {
    const left = lingerSeconds - (now() - start) / 1000;
    if (left <= 0) return;
    log(
        `  the old colour stays for ${Math.ceil(left)} s more: the load balancer follows the switch with a delay`,
    );
    await sleep(left, signal);
}

/** Minimum observations for a 95th percentile: with fewer, one or two slow requests decide. */
const FEWEST_TIMED = 50;

/** Errors that are within chance of the baseline. */
const FEWEST_ERRORS = 5;

/** Increase of the 95th percentile, in seconds, within the width of a histogram's buckets. */
const LEAST_INCREASE_SECONDS = 0.1;

/** One release with live traffic. */
class Watch {
    private readonly baseline: Baseline | undefined;
    private readonly background: Background | undefined;
    private readonly counter: PodCounter | PrometheusCounter;
    private readonly synthetic: SyntheticRequests;
    private readonly watched: WatchedMetrics;
    /** Checks in a row without an endpoint. */
    private withoutEndpoints = 0;

    constructor(
        private readonly plan: SoakPlan,
        entries: readonly HistoryEntry[],
        private readonly ctx: ReleaseContext,
    ) {
        const { metrics, synthetic, watched = [], maxErrorPercent } = plan;
        this.baseline = entries.find((entry) => isOf(plan, entry))?.baseline;
        this.background = backgroundFor(entries, this.baseline);
        this.counter = "prometheus" in metrics ? new PrometheusCounter(metrics) : new PodCounter(metrics);
        const skipped = this.baseline?.skipped;
        const routes = (synthetic?.routes ?? []).filter(
            ({ target, optional }) => !optional || skipped?.includes(target) === false,
        );
        this.synthetic = new SyntheticRequests(routes, synthetic?.everySeconds ?? 0, maxErrorPercent);
        this.watched = new WatchedMetrics(watched);
    }

    /** Measures until the time is over; returns the result. */
    async run(minReady: number): Promise<string> {
        const { log, now, signal, sleep, pollSeconds, lineSeconds } = this.ctx;
        const { durationSeconds, release } = this.plan;
        const health = new PodHealth(minReady, release.image);
        this.logStart();
        const start = now();
        for (let nextLine = 0; ;) {
            const pods = await this.look();
            const elapsed = (now() - start) / 1000;
            const state = health.check(pods, elapsed);
            // Starting pods may still become ready: the end waits for them.
            const over = elapsed >= durationSeconds && !health.lacking;
            await this.synthetic.round(elapsed, this.ctx);
            this.synthetic.evaluate(over);
            const line = over || elapsed >= nextLine;
            if (line || this.counter instanceof PodCounter) {
                const counts = await this.read(pods, elapsed);
                const users = this.usersOf(counts);
                if (line) {
                    const watched = await this.watched.read(elapsed, over, this.ctx);
                    const own = this.synthetic.sent === 0 ? [] : [this.synthetic.toString()];
                    const facts = [describeTraffic(users, counts.error), ...own, ...watched, state];
                    log(`  ${Math.round(elapsed)} of ${durationSeconds} s: ${facts.join(", ")}`);
                    nextLine = (Math.floor(elapsed / lineSeconds) + 1) * lineSeconds;
                }
                this.evaluate(users, counts, over);
                if (over) {
                    log(`  not counted: ${this.exclusions(counts)}`);
                    return `${durationSeconds} s with ${describeTraffic(users, counts.error)}`;
                }
            }
            const left = durationSeconds - elapsed;
            await sleep(left > 0 ? Math.min(pollSeconds, left) : pollSeconds, signal);
        }
    }

    private logStart(): void {
        const { log } = this.ctx;
        log(
            this.baseline === undefined
                ? "  no baseline was measured before the switch: only the limits count"
                : `  before the switch: ${describeBaseline(this.baseline)}`,
        );
        for (const line of this.limitsBelowBaseline()) log(`  ${line}: only a better release passes`);
        for (const target of this.baseline?.skipped ?? []) {
            log(`  ${target} did not answer as expected before the switch: not asked`);
        }
        if (!("prometheus" in this.plan.metrics) && this.background === undefined) {
            log("  requests without users were not measured: only labels tell them apart");
        }
        log(`  watching for ${this.plan.durationSeconds} s`);
    }

    /** Limits that the active colour did not keep to. A release that mends that is judged all the same. */
    private limitsBelowBaseline(): string[] {
        const { baseline, plan } = this;
        if (baseline === undefined || baseline.requests < FEWEST_TIMED) return [];
        const { maxErrorPercent, latency } = plan;
        const [before, p95 = 0] = [errorPercent(baseline), baseline.p95Seconds];
        const limit = latency?.maxP95Seconds;
        return [
            ...(before > maxErrorPercent
                ? [`the limit of ${maxErrorPercent} % errors is below the baseline, ${before.toFixed(2)} %`]
                : []),
            ...(limit !== undefined && p95 > limit
                ? [
                      `the limit of the p95, ${milliseconds(limit)}, is below the baseline, ${milliseconds(p95)}`,
                  ]
                : []),
        ];
    }

    /** Pods of the release, while it is live and not aborted. */
    private async look(): Promise<Pod[]> {
        const { plan, ctx } = this;
        const mismatch = await selectorMismatch(plan, ctx);
        if (mismatch !== undefined) throw new GateError(`${mismatch} any more`);
        throwIfAborted(plan, await ctx.history.read(ctx.signal));
        this.withoutEndpoints = (await endpointsOf(plan, ctx)).length === 0 ? this.withoutEndpoints + 1 : 0;
        if (this.withoutEndpoints >= 2) throw new GateError(`Service ${plan.app} has no endpoints any more`);
        return podsOf(plan, plan.colour, ctx);
    }

    private read(pods: readonly Pod[], elapsed: number): Promise<Counts> {
        return this.counter instanceof PodCounter
            ? this.counter.read(countable(pods), elapsed, this.ctx.signal)
            : this.counter.read(elapsed, this.ctx);
    }

    private own(counts: Counts): number {
        return this.synthetic.answered.filter((path) => counts.includes(path)).length;
    }

    private usersOf(counts: Counts): UserTraffic {
        return usersOf(counts, this.background, this.own(counts));
    }

    /** Describes what the requests do not include, and why. */
    private exclusions(counts: Counts): string {
        const { metrics } = this.plan;
        const { background } = this;
        if ("prometheus" in metrics) return `${this.own(counts)} requests of the gate's own`;
        const patterns = [
            ...(metrics.probePaths ?? []),
            ...Object.entries(metrics.exclude ?? {}).map(([label, form]) => `${label}=~"${form}"`),
            ...Object.entries(metrics.select ?? {}).map(([label, form]) => `${label}!~"${form}"`),
        ].join(", ");
        const rate = background?.podSeconds ? background.requests / background.podSeconds : 0;
        return [
            `${Math.round(counts.excluded)} requests by label${patterns === "" ? "" : ` (${patterns})`}`,
            `${Math.round(rate * counts.podSeconds)} that pods get without users (${rate.toFixed(2)} a second and pod)`,
            `${this.own(counts)} of the gate's own`,
        ].join(", ");
    }

    /**
     * Throws {@link GateError} if the release exceeds a limit: at the end, or earlier if the rest could hardly change
     * it; and at the end, if there are too few requests.
     */
    private evaluate(users: UserTraffic, counts: Counts, over: boolean): void {
        const { maxErrorPercent, minimumRequests, allowNoData } = this.plan;
        const enough = users.certain >= minimumRequests;
        const percent = errorPercent(users);
        const found = describeTraffic(users, counts.error);
        if ((over || enough) && percent > (over ? maxErrorPercent : 2 * maxErrorPercent)) {
            throw new GateError(`${found}; at most ${maxErrorPercent} % are allowed`);
        }
        if (enough) this.compareErrors(users, found, over);
        const counted = counts.counting || this.baseline?.counting === false;
        if (over && !enough && !(allowNoData && counted)) {
            const certain = Math.floor(users.certain);
            const surely = certain < Math.round(users.requests) ? ` (surely users': ${certain})` : "";
            throw new GateError(
                `inconclusive, ${found}${surely}; ` +
                    (allowNoData
                        ? "what is not counted cannot be judged"
                        : `${minimumRequests} requests are needed`),
            );
        }
        this.compareLatency(users, found, over);
    }

    private compareErrors(users: UserTraffic, found: string, over: boolean): void {
        const { maxErrorIncrease, minimumRequests } = this.plan;
        const { baseline } = this;
        if (maxErrorIncrease === undefined || baseline === undefined) return;
        // A baseline with few requests is imprecise; without errors, it is unchanged.
        if (baseline.requests < Math.min(minimumRequests, FEWEST_TIMED)) return;
        const before = errorPercent(baseline);
        const limit = before + (over ? 1 : 2) * maxErrorIncrease;
        if (users.errors >= FEWEST_ERRORS && errorPercent(users) > limit) {
            throw new GateError(
                `${found}; at most ${(before + maxErrorIncrease).toFixed(2)} % are allowed, ` +
                    `as it was ${before.toFixed(2)} % before the switch`,
            );
        }
    }

    private compareLatency({ timed, p95 }: UserTraffic, found: string, over: boolean): void {
        const { latency } = this.plan;
        if (latency === undefined) return;
        const { maxP95Seconds, maxIncreasePercent } = latency;
        if (p95 === undefined) {
            if (over && maxP95Seconds !== undefined && !this.plan.allowNoData) {
                throw new GateError(`inconclusive, ${found}; how long requests take is not known`);
            }
            return;
        }
        if (timed < FEWEST_TIMED) return;
        const factor = over ? 1 : 2;
        if (maxP95Seconds !== undefined && p95 > factor * maxP95Seconds) {
            throw new GateError(`${found}; a p95 of at most ${milliseconds(maxP95Seconds)} is allowed`);
        }
        const before = this.baseline?.p95Seconds;
        if (before === undefined || maxIncreasePercent === undefined) return;
        if (this.baseline!.requests < FEWEST_TIMED) return;
        const increase = Math.max((before * maxIncreasePercent) / 100, LEAST_INCREASE_SECONDS);
        if (p95 - before > factor * increase) {
            throw new GateError(
                `${found}; a p95 of at most ${milliseconds(before + increase)} is allowed, ` +
                    `as it was ${milliseconds(before)} before the switch`,
            );
        }
    }
}

function describeTraffic(users: UserTraffic, error: string | undefined): string {
    const { requests, errors, p95 } = users;
    const rate = `${Math.round(requests)} requests, ${Math.round(errors)} errors (${errorPercent(users).toFixed(2)} %)`;
    return [
        rate,
        ...(p95 === undefined ? [] : [`p95 ${milliseconds(p95)}`]),
        ...(error === undefined ? [] : [error]),
    ].join(", ");
}
