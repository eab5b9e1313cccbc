import * as z from "zod/mini";
import { GateError, throwIfStopped } from "./gate";
import { request, withTimeout } from "./http";
import { pause } from "./kubernetes";
import { httpPath, pattern, port, text } from "./schema";

const regularExpression = z.string("a regular expression").check(
    z.refine((form) => {
        try {
            new RegExp(form);
            return true;
        } catch {
            return false;
        }
    }, "a regular expression"),
);

/** Series of one counter in a pod's metrics. */
const counterChoice = z.strictObject({
    /** Name as it stands there: "http_requests_total". */
    counter: text,
    /**
     * Label to the regular expression its value must match somewhere, as {status: "^5"}; a label that is not there
     * counts as "". Default: every series of that name.
     */
    labels: z.optional(z.record(z.string(), regularExpression)),
});

/** Requests and errors as the pods themselves count them, in Prometheus's text format. */
const podMetricsTarget = z.strictObject({
    path: httpPath,
    port,
    /** Best without the probes of the kubelet, which are many and never fail. */
    requests: counterChoice,
    errors: counterChoice,
});

/** Requests and errors as Prometheus counts them: PromQL that gives one number, with $WINDOW for "600s". */
const prometheusMetrics = z.strictObject({
    /** Base URL: "http://prometheus.monitoring:9090". */
    prometheus: pattern(/^https?:\/\/[^?#@]+$/, "a base URL such as http://prometheus:9090"),
    requests: text,
    errors: text,
});

/** Where requests and errors are counted. */
export const metricsSource = z.union(
    [prometheusMetrics, podMetricsTarget],
    "metrics of Prometheus or of the pods",
);

export type CounterChoice = z.infer<typeof counterChoice>;
export type PodMetricsTarget = z.infer<typeof podMetricsTarget>;
export type PrometheusMetrics = z.infer<typeof prometheusMetrics>;

/** What was counted since the start. */
export interface Counts {
    requests: number;
    errors: number;
    /** In words, what could not be counted. */
    error?: string;
}

/** A pod that can be asked for its metrics. */
export interface Countable {
    uid: string;
    name: string;
    ip: string;
}

/** Counts the requests and errors since its first reading. */
export interface MetricsSource {
    /** Whether it must be read at each look at the pods, as what a pod counted is gone with the pod. */
    frequent: boolean;
    /** Never rejects over what cannot be reached. Rejects with {@link GateError} over what can never succeed. */
    read(pods: Countable[], elapsedSeconds: number, signal: AbortSignal): Promise<Counts>;
}

/** Limit of one request for metrics, in seconds. */
const SCRAPE_SECONDS = 4;
/** How often Prometheus is asked in a row before it counts as away. */
const PROMETHEUS_ATTEMPTS = 3;
/** Most of a pod's metrics that is read, in bytes. */
const SCRAPE_LIMIT = 8 * 1024 * 1024;

/** One value of a pod's metrics. */
export interface Sample {
    name: string;
    labels: Record<string, string>;
    value: number;
}

/** Reads Prometheus's text format; lines that are none of it are passed over. */
export function parseSamples(page: string): Sample[] {
    return page.split("\n").flatMap((line) => {
        const [, name, labels = "", value] =
            /^\s*([a-zA-Z_:][\w:]*)\s*(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?\s+(\S+)/.exec(line) ?? [];
        if (name === undefined) return [];
        const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"/g)];
        return {
            name,
            labels: Object.fromEntries(pairs.map(([, label, content]) => [label!, unescaped(content!)])),
            value: Number(value),
        };
    });
}

function unescaped(content: string): string {
    return content.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}

/** Adds the increases of counters up, whatever restarts, comes and goes. */
export class Increases {
    /** Last value of each series. */
    private readonly last = new Map<string, number>();
    private readonly begun = new Set<string>();
    total = 0;

    /**
     * Takes one source's counters in. Those of a source that is `old` were counting before the start: its first
     * reading is what they are compared with. Those of any other began with 0 since then.
     */
    take(source: string, old: boolean, samples: Sample[]): void {
        const first = old && !this.begun.has(source);
        this.begun.add(source);
        for (const { name, labels, value } of samples) {
            if (!Number.isFinite(value)) continue;
            const series = JSON.stringify([source, name, Object.entries(labels).sort()]);
            const before = first ? value : (this.last.get(series) ?? 0);
            // A counter that fell has been set to 0 in between.
            this.total += value < before ? value : value - before;
            this.last.set(series, value);
        }
    }
}

/** Counts with the counters of the pods. */
export class PodCounting implements MetricsSource {
    readonly frequent = true;
    private readonly requests = new Increases();
    private readonly errors = new Increases();
    /** The pods of the first reading, whether they answered or not. */
    private old: Set<string> | undefined;
    private counterSeen = false;

    constructor(
        private readonly metrics: PodMetricsTarget,
        /** Counts since the first reading, or all that the pods have counted since they started. */
        since: "first reading" | "their start" = "first reading",
    ) {
        this.old = since === "their start" ? new Set() : undefined;
    }

    async read(pods: Countable[], _: number, signal: AbortSignal): Promise<Counts> {
        this.old ??= new Set(pods.map(({ uid }) => uid));
        const old = this.old;
        const troubles = await Promise.all(
            pods.map(async (pod) => {
                const { body, error: error } = await page(
                    metricsUrl(pod, this.metrics),
                    "text/plain",
                    signal,
                );
                if (error !== undefined) return [`${pod.name}: ${error}`];
                const samples = parseSamples(body);
                const requests = chosen(samples, this.metrics.requests);
                this.counterSeen ||= requests.length > 0;
                this.requests.take(pod.uid, old.has(pod.uid), requests);
                this.errors.take(pod.uid, old.has(pod.uid), chosen(samples, this.metrics.errors));
                return [];
            }),
        );
        throwIfStopped(signal);
        const [first, ...more] = troubles.flat();
        const unread =
            first && `no metrics of ${first}${more.length === 0 ? "" : ` (and ${more.length} more)`}`;
        const unseen = this.counterSeen
            ? undefined
            : `no pod has shown ${inWordsOf(this.metrics.requests)} yet`;
        return { requests: this.requests.total, errors: this.errors.total, error: unread ?? unseen };
    }
}

function metricsUrl({ ip }: Countable, { port, path }: PodMetricsTarget): string {
    return `http://${ip.includes(":") ? `[${ip}]` : ip}:${port}${path}`;
}

/** One answer of status 200 in full, or in words why there is none. */
async function page(
    url: string,
    accept: string,
    signal: AbortSignal,
): Promise<{ status?: number; body: string; error?: string }> {
    const late = `timed out after ${SCRAPE_SECONDS} s`;
    const {
        status,
        body,
        cut,
        error: error,
    } = await withTimeout(SCRAPE_SECONDS, late, signal, (attempt) =>
        // Closed, as a kept connection may break just when it is used again, and the other side seem gone.
        request(url, { headers: { accept, connection: "close" } }, attempt, SCRAPE_LIMIT),
    );
    if (error !== undefined) return { status, body, error: error };
    if (status !== 200) return { status, body, error: `status ${status}` };
    return { status, body, ...(cut ? { error: "more than 8 MiB" } : {}) };
}

function chosen(samples: Sample[], { counter, labels = {} }: CounterChoice): Sample[] {
    const forms = Object.entries(labels).map(([label, form]) => [label, new RegExp(form)] as const);
    return samples.filter(
        ({ name, labels: has }) =>
            name === counter && forms.every(([label, form]) => form.test(has[label] ?? "")),
    );
}

function inWordsOf({ counter, labels = {} }: CounterChoice): string {
    const forms = Object.entries(labels).map(([label, form]) => `${label}=~"${form}"`);
    return counter + (forms.length === 0 ? "" : `{${forms.join(",")}}`);
}

/** Has Prometheus count. */
export class PrometheusCounting implements MetricsSource {
    readonly frequent = false;

    constructor(
        private readonly metrics: PrometheusMetrics,
        /** Between two attempts. */
        private readonly pauseSeconds = 1,
    ) {}

    async read(_: Countable[], elapsedSeconds: number, signal: AbortSignal): Promise<Counts> {
        const requests = await this.value(this.metrics.requests, elapsedSeconds, signal);
        const errors =
            requests.value === undefined
                ? requests
                : await this.value(this.metrics.errors, elapsedSeconds, signal);
        const missing = requests.value === undefined ? "Prometheus has no data for the requests" : undefined;
        const error = errors.error ?? missing;
        // Requests whose errors are unknown say nothing; no series of errors, though, means that there were none.
        if (error !== undefined) return { requests: 0, errors: 0, error: error };
        return { requests: requests.value ?? 0, errors: errors.value ?? 0 };
    }

    private async value(
        expression: string,
        elapsedSeconds: number,
        signal: AbortSignal,
    ): Promise<{ value?: number; error?: string }> {
        const window = `${Math.max(1, Math.round(elapsedSeconds))}s`;
        const query = encodeURIComponent(expression.replaceAll("$WINDOW", window));
        const url = `${this.metrics.prometheus.replace(/\/+$/, "")}/api/v1/query?query=${query}`;
        for (let attempt = 1; ; attempt += 1) {
            const { status, body, error: error } = await page(url, "application/json", signal);
            // 400 and 422: the expression cannot be evaluated, and never will be.
            if (status === 400 || status === 422) {
                const { error = `status ${status}` } = parsedAnswer(body);
                throw new GateError(`Prometheus cannot evaluate ${expression}: ${error}`);
            }
            if (error === undefined) return numberOf(parsedAnswer(body), expression);
            if (attempt === PROMETHEUS_ATTEMPTS) return { error: `Prometheus: ${error}` };
            await pause(this.pauseSeconds, signal);
        }
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

/** The one number of an answer; none for an empty one, and for NaN, which is what 0 / 0 gives. */
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
