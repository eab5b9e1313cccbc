import * as z from "zod/mini";
import { GateError } from "../lib/gate";
import { fetchPage } from "../lib/http";
import { pattern, text } from "../lib/schema";
import { type ReleaseContext } from "./context";
import { type Counts } from "./counts";

/** Base URL of a Prometheus. */
export const prometheusUrl = pattern(/^https?:\/\/[^?#@]+$/, "a base URL such as http://prometheus:9090");

/** Requests, errors and durations by Prometheus: PromQL that returns one number, with $WINDOW for "600s". */
export const prometheusMetrics = z.strictObject({
    /** "http://prometheus.monitoring:9090". */
    prometheus: prometheusUrl,
    requests: text,
    errors: text,
    /** The 95th percentile of request durations, in seconds. Default: unknown. */
    p95: z.optional(text),
});

export type PrometheusMetrics = z.infer<typeof prometheusMetrics>;

/** Failed queries in a row after which Prometheus counts as unavailable. */
const ATTEMPTS = 3;
/** Timeout of one request, in seconds. */
const REQUEST_SECONDS = 4;
/** Limit of a response, in bytes. */
const ANSWER_LIMIT = 1024 * 1024;
/** Readings in a row with the same non-zero number of requests, after which Prometheus has stopped scraping. */
const STALE_READINGS = 3;

/** Context of a query. */
type QueryContext = Pick<ReleaseContext, "signal" | "sleep">;

/** Counts by Prometheus. */
export class PrometheusCounter {
    private last: number | undefined;
    private same = 0;

    constructor(private readonly metrics: PrometheusMetrics) {}

    /** Ignores unreachable servers; rejects if an expression is invalid. */
    async read(elapsedSeconds: number, ctx: QueryContext): Promise<Counts> {
        const value = (expression: string) =>
            queryPrometheus(this.metrics.prometheus, expression, elapsedSeconds, ctx);
        const nothing = {
            requests: 0,
            errors: 0,
            excluded: 0,
            podSeconds: 0,
            buckets: new Map<number, number>(),
            includes: () => true,
        };
        const requests = await value(this.metrics.requests);
        const errors = requests.value === undefined ? requests : await value(this.metrics.errors);
        const missing = requests.value === undefined ? "Prometheus has no data for the requests" : undefined;
        const error = errors.error ?? missing ?? this.staleness(requests.value!, elapsedSeconds);
        // Requests with unknown errors are not counted; no error series means no errors. An expression without series
        // means an idle environment; any other result is invalid.
        if (error !== undefined) return { ...nothing, error, counting: error === missing };
        const p95 = this.metrics.p95 === undefined ? {} : await value(this.metrics.p95);
        return {
            ...nothing,
            requests: requests.value!,
            errors: errors.value ?? 0,
            counting: true,
            p95: p95.value,
            error: p95.error,
        };
    }

    private staleness(requests: number, elapsedSeconds: number): string | undefined {
        this.same = requests > 0 && requests === this.last ? this.same + 1 : 1;
        this.last = requests;
        return this.same < STALE_READINGS
            ? undefined
            : `Prometheus is stale: ${Math.round(requests)} requests at each of the last ${this.same} readings, ` +
                  `after ${Math.round(elapsedSeconds)} s`;
    }
}

/** The number that an expression returns: `value` is undefined without series. */
export async function queryPrometheus(
    prometheus: string,
    expression: string,
    windowSeconds: number,
    { signal, sleep }: QueryContext,
): Promise<{ value?: number; error?: string }> {
    const window = `${Math.max(1, Math.round(windowSeconds))}s`;
    const query = encodeURIComponent(expression.replaceAll("$WINDOW", window));
    const url = `${prometheus.replace(/\/+$/, "")}/api/v1/query?query=${query}`;
    const options = { accept: "application/json", seconds: REQUEST_SECONDS, limit: ANSWER_LIMIT };
    for (let attempt = 1; ; attempt += 1) {
        const { status, body, error } = await fetchPage(url, options, signal);
        // 400 and 422: the expression is invalid, so that a retry does not help.
        if (status === 400 || status === 422) {
            const { error = `status ${status}` } = parsedAnswer(body);
            throw new GateError(`Prometheus cannot evaluate ${expression}: ${error}`);
        }
        if (error === undefined) return numberOf(parsedAnswer(body), expression);
        if (attempt === ATTEMPTS) return { error: `Prometheus: ${error}` };
        await sleep(1, signal);
    }
}

interface PrometheusAnswer {
    error?: string;
    data?: { resultType?: string; result?: unknown };
}

function parsedAnswer(body: string): PrometheusAnswer {
    try {
        return (JSON.parse(body) ?? {}) as PrometheusAnswer;
    } catch {
        return {};
    }
}

/** The number of a result; undefined if empty, or for NaN, the result of 0 / 0. */
function numberOf({ data }: PrometheusAnswer, expression: string): { value?: number; error?: string } {
    if (data?.resultType === "scalar") return finite((data.result as [number, string])[1]);
    if (data?.resultType !== "vector") return { error: "Prometheus: an answer that is no number" };
    const series = data.result as { value: [number, string] }[];
    if (series.length > 1) {
        throw new GateError(
            `${expression} gives ${series.length} series in Prometheus: sum them up into one number`,
        );
    }
    return series[0] === undefined ? {} : finite(series[0].value[1]);
}

function finite(source: string): { value?: number } {
    const value = Number(source);
    return Number.isFinite(value) ? { value } : {};
}
