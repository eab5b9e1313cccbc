import * as z from "zod/mini";
import { GateError } from "../lib/gate";
import { text } from "../lib/schema";
import { cloudWatchMetric, readCloudWatch } from "./cloudWatch";
import { type ReleaseContext } from "./context";
import { prometheusUrl, queryPrometheus } from "./prometheus";

/** Fields of every metric of the user. */
const common = {
    /** For the lines: "queue length". */
    name: text,
    /** Upper limit. Default: none. */
    max: z.optional(z.number()),
    /** Lower limit. Default: none. */
    min: z.optional(z.number()),
};

const hasLimit = ({ max, min }: { max?: number | undefined; min?: number | undefined }) =>
    max !== undefined || min !== undefined;

/** A metric of the user, with its limit. */
export const watchedMetric = z.union(
    [
        z
            .strictObject({
                ...common,
                prometheus: prometheusUrl,
                /** PromQL that returns one number, with $WINDOW for the time since the switch. */
                query: text,
            })
            .check(z.refine(hasLimit, "max, min or both")),
        z.strictObject({ ...common, ...cloudWatchMetric }).check(z.refine(hasLimit, "max, min or both")),
    ],
    "a metric of Prometheus or CloudWatch",
);

export type WatchedMetric = z.infer<typeof watchedMetric>;

/** Readings in a row beyond the limit that fail the release: one may be chance. */
const READINGS = 2;

/** Checks the user's metrics. */
export class WatchedMetrics {
    private readonly breaches = new Map<string, number>();

    constructor(private readonly metrics: readonly WatchedMetric[]) {}

    /**
     * Describes the values; rejects if a metric exceeds its limit twice in a row, or is unknown or beyond it at the
     * end.
     */
    async read(elapsedSeconds: number, over: boolean, ctx: ReleaseContext): Promise<string[]> {
        const found: string[] = [];
        for (const watched of this.metrics) {
            const { name, max = Infinity, min = -Infinity } = watched;
            const { value, error = "no data" } =
                "prometheus" in watched
                    ? await queryPrometheus(watched.prometheus, watched.query, elapsedSeconds, ctx)
                    : await readCloudWatch(watched, elapsedSeconds, ctx);
            if (value === undefined) {
                const problem = `${name} is not known: ${error}`;
                if (over) throw new GateError(`inconclusive, ${problem}`);
                found.push(problem);
                continue;
            }
            const beyond =
                value > max
                    ? `at most ${max} is allowed`
                    : value < min
                      ? `at least ${min} is needed`
                      : undefined;
            const times = beyond === undefined ? 0 : (this.breaches.get(name) ?? 0) + 1;
            this.breaches.set(name, times);
            if (beyond !== undefined && (over || times >= READINGS)) {
                throw new GateError(`${name} is ${value}; ${beyond}`);
            }
            found.push(`${name} ${value}`);
        }
        return found;
    }
}
