import * as z from "zod/mini";
import { GateError } from "../lib/gate";
import { text } from "../lib/schema";
import { type ReleaseContext } from "./context";
import { prometheusUrl, queryPrometheus } from "./prometheus";

/** A metric of the user's own, with its limit. */
export const watchedMetric = z
    .strictObject({
        /** For the lines: "queue length". */
        name: text,
        prometheus: prometheusUrl,
        /** PromQL that gives one number, with $WINDOW for the time since the switch. */
        query: text,
        /** Most that it may be. Default: no limit. */
        max: z.optional(z.number()),
        /** Least that it must be. Default: no limit. */
        min: z.optional(z.number()),
    })
    .check(z.refine(({ max, min }) => max !== undefined || min !== undefined, "max, min or both"));

export type WatchedMetric = z.infer<typeof watchedMetric>;

/** Readings in a row beyond the limit that fail the release: one may be chance. */
const READINGS = 2;

/** Watches metrics of the user's own. */
export class WatchedMetrics {
    private readonly breaches = new Map<string, number>();

    constructor(private readonly metrics: readonly WatchedMetric[]) {}

    /** Describes what was found; rejects when a metric is beyond its limit twice in a row, or at the end unknown or beyond it. */
    async read(elapsedSeconds: number, over: boolean, ctx: ReleaseContext): Promise<string[]> {
        const found: string[] = [];
        for (const { name, prometheus, query, max = Infinity, min = -Infinity } of this.metrics) {
            const { value, error } = await queryPrometheus(prometheus, query, elapsedSeconds, ctx);
            if (value === undefined) {
                const problem = `${name} is not known: ${error ?? "Prometheus has no data"}`;
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
