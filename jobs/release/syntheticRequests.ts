import { GateError, throwIfStopped } from "../lib/gate";
import { sendOnce } from "./smokeRequests";
import { type ReleaseContext } from "./context";
import { type SyntheticRoute } from "./plan";

/** Failures in a row of one request that fail the release, at any rate. */
const FAILURES_IN_A_ROW = 3;

/** Failed rounds below which their rate is ignored: one network interruption fails a whole round. */
const FAILED_ROUNDS = 3;

/** Minimum number of requests for a failure rate. */
const FEWEST_REQUESTS = 20;

/** The gate's own requests: the smoke requests, sent repeatedly through the live Service and public hosts. */
export class SyntheticRequests {
    sent = 0;
    failed = 0;
    /** Paths with responses, which the pods' counts may include. */
    readonly answered: string[] = [];
    private due = 0;
    private failedRounds = 0;
    private readonly inARow = new Map<string, number>();
    private last = "";

    constructor(
        private readonly routes: readonly SyntheticRoute[],
        private readonly everySeconds: number,
        /** Limit of failures, in percent. */
        private readonly maxErrorPercent: number,
    ) {}

    /** Sends them all once, unless it is too early; rejects if one failed several times in a row. */
    async round(elapsedSeconds: number, ctx: ReleaseContext): Promise<void> {
        if (this.routes.length === 0 || elapsedSeconds < this.due) return;
        this.due = elapsedSeconds + this.everySeconds;
        const all = this.routes.flatMap(({ target, requests }) =>
            requests.map((request) => ({ target, request })),
        );
        const outcomes = await Promise.all(
            all.map(async ({ target, request }) => ({
                key: `${request.name} at ${target}`,
                path: request.path,
                ...(await sendOnce(target, request, ctx)),
            })),
        );
        throwIfStopped(ctx.signal);
        if (outcomes.some(({ problems }) => problems.length > 0)) this.failedRounds += 1;
        for (const { key, path, status, problems } of outcomes) {
            this.sent += 1;
            if (status !== undefined) this.answered.push(path);
            if (problems.length === 0) {
                this.inARow.set(key, 0);
                continue;
            }
            this.failed += 1;
            this.last = `${key}: ${problems.join("; ")}`;
            const times = (this.inARow.get(key) ?? 0) + 1;
            this.inARow.set(key, times);
            if (times === 1) ctx.log(`  ✗ ${this.last}`);
            if (times >= FAILURES_IN_A_ROW) {
                throw new GateError(`the gate's own requests failed ${times} times in a row: ${this.last}`);
            }
        }
    }

    /** Throws if too many failed: at the end, or earlier if the rest could hardly change it. */
    evaluate(over: boolean): void {
        const percent = this.sent === 0 ? 0 : (100 * this.failed) / this.sent;
        const limit = over ? this.maxErrorPercent : 2 * this.maxErrorPercent;
        const enough = this.failedRounds >= FAILED_ROUNDS && (over || this.sent >= FEWEST_REQUESTS);
        if (enough && percent > limit) {
            throw new GateError(
                `${this.failed} of ${this.sent} of the gate's own requests failed; ` +
                    `at most ${this.maxErrorPercent} % are allowed; ${this.last}`,
            );
        }
    }

    /** Describes the sent requests. */
    toString(): string {
        return `${this.sent} own requests, ${this.failed} failed`;
    }
}

/** Optional routes by which the active colour does not respond as expected, so that they are not evaluated. */
export async function skippedRoutes(
    routes: readonly SyntheticRoute[],
    ctx: ReleaseContext,
): Promise<string[]> {
    const found = await Promise.all(
        routes
            .filter(({ optional }) => optional)
            .map(async ({ target, requests }) => {
                const outcomes = await Promise.all(requests.map((request) => sendOnce(target, request, ctx)));
                const problem = outcomes.flatMap(({ problems }) => problems)[0];
                if (problem === undefined) return [];
                ctx.log(`  ${target} does not answer as expected before the switch: ${problem}`);
                return [target];
            }),
    );
    return found.flat();
}
