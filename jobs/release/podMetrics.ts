import * as z from "zod/mini";
import { GateError, throwIfStopped } from "../lib/gate";
import { fetchPage } from "../lib/http";
import { declaredNames, Increases, parseSamples, type Sample } from "../lib/metrics";
import { httpPath, port, text, textWhere } from "../lib/schema";
import { type Counts } from "./counts";

const regularExpression = textWhere((form) => {
    try {
        new RegExp(form);
        return true;
    } catch {
        return false;
    }
}, "a regular expression");

/** Label to a regular expression that must match its value (not anchored): {status: "^5"}. */
const labelPatterns = z.record(z.string(), regularExpression);

/** Series of one counter in a pod's metrics. */
const counterChoice = z.strictObject({
    /** Name on the page: "http_requests_total". */
    counter: text,
    /** A missing label counts as "". Default: every series of that name. */
    labels: z.optional(labelPatterns),
});

/** Requests, errors and durations from the pods' metrics, in Prometheus's text format. */
export const podMetricsTarget = z.strictObject({
    path: httpPath,
    port,
    requests: counterChoice,
    errors: counterChoice,
    /** Paths of probes and scrapes, whose series are not users' requests if a label has the path. Default: none. */
    probePaths: z.optional(z.array(httpPath, "a list")),
    /** Labels of users' requests; all must match. Default: all. */
    select: z.optional(labelPatterns),
    /** Labels of other requests; one match excludes a series. Default: none. */
    exclude: z.optional(labelPatterns),
    /** Histogram of request durations. Default: unknown. */
    duration: z.optional(
        z.strictObject({
            /** Name without `_bucket`, with or without `_seconds` or `_milliseconds`, its unit. */
            histogram: text,
            /** Unit if the name does not have it. */
            unit: z.enum(["s", "ms"], "s or ms"),
        }),
    ),
});

export type PodMetricsTarget = z.infer<typeof podMetricsTarget>;

/** A pod whose metrics can be read. */
export interface Countable {
    uid: string;
    name: string;
    ip: string;
}

/** Labels whose value is the path of a request. */
export const PATH_LABELS = ["path", "handler", "route", "uri", "url", "endpoint", "http_route"];

/** How often the counters of one pod may fall: a worker may be replaced, but counters do not decrease otherwise. */
const MOST_FALLS = 2;

/** Timeout of one request for metrics, in seconds. */
const SCRAPE_SECONDS = 4;
/** Limit of a pod's metrics, in bytes. */
const SCRAPE_LIMIT = 8 * 1024 * 1024;

/** Counts by the pods' counters. Must be read often: a pod's counts are lost with it. */
export class PodCounter {
    private readonly increases = new Increases();
    /** The pods of the first reading, whether they responded or not. */
    private old: Set<string> | undefined;
    private last: number | undefined;
    private readonly totals = { requests: 0, errors: 0, excluded: 0, podSeconds: 0, counting: false };
    private readonly buckets = new Map<number, number>();
    private readonly labels = new Set<string>();

    constructor(private readonly metrics: PodMetricsTarget) {}

    /** Reads all pods. Ignores unreachable ones; rejects if a metric is no counter. */
    async read(pods: readonly Countable[], elapsedSeconds: number, signal: AbortSignal): Promise<Counts> {
        this.old ??= new Set(pods.map(({ uid }) => uid));
        this.totals.podSeconds += pods.length * (elapsedSeconds - (this.last ?? elapsedSeconds));
        this.last = elapsedSeconds;
        const problems = await Promise.all(pods.map((pod) => this.scrape(pod, signal)));
        throwIfStopped(signal);
        const [first, ...more] = problems.flat();
        const unread =
            first && `no metrics of ${first}${more.length === 0 ? "" : ` (and ${more.length} more)`}`;
        const unseen = this.totals.counting
            ? undefined
            : `no pod has shown ${describe(this.metrics.requests)} yet`;
        return {
            ...this.totals,
            buckets: this.buckets,
            includes: (path) => this.includes(path),
            error: unread ?? unseen,
        };
    }

    private async scrape({ uid, name, ip }: Countable, signal: AbortSignal): Promise<string[]> {
        const { port, path } = this.metrics;
        const url = `http://${ip.includes(":") ? `[${ip}]` : ip}:${port}${path}`;
        const { body, error } = await fetchPage(
            url,
            { accept: "text/plain", seconds: SCRAPE_SECONDS, limit: SCRAPE_LIMIT },
            signal,
        );
        if (error !== undefined) return [`${name}: ${error}`];
        const old = this.old!.has(uid);
        const { requests } = this.metrics;
        const samples = parseSamples(body);
        this.totals.counting ||=
            samples.some((sample) => isChosen(sample, requests)) || declaredNames(body).has(requests.counter);
        for (const { sample, increase } of this.increases.take(uid, old, this.relevant(samples))) {
            this.add(sample, increase);
        }
        if ((this.increases.falls.get(uid) ?? 0) > MOST_FALLS) {
            throw new GateError(
                `the counters of ${name} went backwards ${this.increases.falls.get(uid)} times: ` +
                    `${requests.counter} is no counter`,
            );
        }
        return [];
    }

    private relevant(samples: readonly Sample[]): Sample[] {
        const { requests, errors } = this.metrics;
        return samples.filter(
            (sample) =>
                isChosen(sample, requests) || isChosen(sample, errors) || this.unitOf(sample) !== undefined,
        );
    }

    /** Labels of `select` and `exclude` that no request series has. Known after requests were counted. */
    unknownLabels(): string[] {
        const { select, exclude } = this.metrics;
        return this.labels.size === 0
            ? []
            : Object.keys({ ...select, ...exclude }).filter((label) => !this.labels.has(label));
    }

    /** Labels of the request series. */
    seenLabels(): string[] {
        return [...this.labels].sort();
    }

    private add(sample: Sample, increase: number): void {
        const { requests, errors } = this.metrics;
        const isUsers = this.isUsers(sample.labels);
        const unit = this.unitOf(sample);
        if (unit !== undefined) {
            if (!isUsers) return;
            const bound = sample.labels["le"] === "+Inf" ? Infinity : Number(sample.labels["le"]) * unit;
            this.buckets.set(bound, (this.buckets.get(bound) ?? 0) + increase);
            return;
        }
        if (isChosen(sample, requests)) {
            for (const label of Object.keys(sample.labels)) this.labels.add(label);
            this.totals[isUsers ? "requests" : "excluded"] += increase;
        }
        if (isUsers && isChosen(sample, errors)) this.totals.errors += increase;
    }

    /** Whether requests with these labels are users'; a missing label decides nothing. */
    private isUsers(labels: Record<string, string>): boolean {
        const { select = {}, exclude = {}, probePaths = [] } = this.metrics;
        const matches = ([label, form]: [string, string]) => new RegExp(form).test(labels[label]!);
        const known = ([label]: [string, string]) => labels[label] !== undefined;
        return (
            Object.entries(select).filter(known).every(matches) &&
            !Object.entries(exclude).filter(known).some(matches) &&
            !PATH_LABELS.some((label) =>
                probePaths.includes(labels[label]?.replace(/(.)\/?(\?.*)?$/, "$1") ?? ""),
            )
        );
    }

    /** Unit of a histogram's bucket in seconds; undefined for other series. */
    private unitOf({ name }: Sample): number | undefined {
        const { duration } = this.metrics;
        if (duration === undefined || !name.endsWith("_bucket")) return undefined;
        const base = duration.histogram.replace(/_(seconds|milliseconds)$/, "");
        const [, found, suffix] =
            /^(.*?)(_seconds|_milliseconds|)$/.exec(name.slice(0, -"_bucket".length)) ?? [];
        if (found !== base) return undefined;
        if (suffix === "") return duration.unit === "s" ? 1 : 0.001;
        return suffix === "_seconds" ? 1 : 0.001;
    }

    /** Whether requests to a path are counted, by the labels seen so far. */
    private includes(path: string): boolean {
        const { labels: wanted = {} } = this.metrics.requests;
        const labels = Object.fromEntries(
            PATH_LABELS.filter((label) => this.labels.has(label)).map((label) => [label, path]),
        );
        return (
            this.isUsers(labels) &&
            Object.entries(wanted).every(
                ([label, form]) => labels[label] === undefined || new RegExp(form).test(path),
            )
        );
    }
}

function isChosen({ name, labels: has }: Sample, { counter, labels = {} }: PodMetricsTarget["requests"]) {
    return (
        name === counter &&
        Object.entries(labels).every(([label, form]) => new RegExp(form).test(has[label] ?? ""))
    );
}

function describe({ counter, labels = {} }: PodMetricsTarget["requests"]): string {
    const forms = Object.entries(labels).map(([label, form]) => `${label}=~"${form}"`);
    return counter + (forms.length === 0 ? "" : `{${forms.join(",")}}`);
}
