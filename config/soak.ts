import { z } from "zod";
import { required } from "../core/required";
import { parseReleasePlan, SOAK_MARGIN_SECONDS, type SoakPlan } from "../jobs/release/plan";
import { judgedByGate } from "./gateParser";
import { HIGH_ERROR_RATE_PERCENT, SOAK_SECONDS } from "../core/numbers";
import { durationUpTo, percent, someText, text, wholeNumber } from "./scalars";

/** Base URL of a Prometheus inside the cluster. */
const prometheusUrl = text(
    /^http:\/\/[a-z0-9-]{1,63}\.[a-z0-9-]{1,63}(\.svc)?:[1-9][0-9]{0,4}$/,
    "the URL of a Service, such as http://prometheus.monitoring:9090",
).refine(URL.canParse, "the URL of a Service with a port of at most 65535");

/** Label of the metrics to a regular expression that must match its value (not anchored). */
const labelPatterns = z.record(z.string(), z.string({ error: "a regular expression" }));

const number = z.number({ error: "a number" });

/** What the soak gate measures after the switch. Section 3.3. */
const soakValues = z.strictObject({
    /** Duration. Default: 10m. */
    duration: durationUpTo("12h").default(SOAK_SECONDS),
    /** Limit of failed requests of users, in percent. Default: 5. */
    maxErrorRate: percent.default(HIGH_ERROR_RATE_PERCENT),
    /** Minimum number of users' requests for a verdict. Default: 200. */
    minimumRequests: wholeNumber(1, 1_000_000).default(200),
    /** Verdict on too few requests: `fail` or `pass`. Default: fail. */
    onNoData: z.enum(["fail", "pass"], { error: "fail or pass" }).default("fail"),
    /** Prometheus to query instead of the pods, with expressions that return one number. Default: the pods. */
    prometheus: z
        .strictObject({
            /** Base URL inside the cluster, such as http://prometheus.monitoring:9090. */
            url: prometheusUrl,
            /** PromQL for the requests of a window; $WINDOW is replaced by its length. */
            requests: someText,
            /** PromQL for the failed requests. */
            errors: someText,
            /** PromQL for the 95th percentile of the request duration, in seconds. Default: unknown. */
            p95: someText.optional(),
        })
        .optional(),
    /** Counters in the pods' metrics. Default: requests_total, of which those with a status of 5xx are errors. */
    counters: z
        .strictObject({
            requests: someText.default("requests_total"),
            errors: someText.default("requests_total"),
            /** Label that marks errors, and the pattern of its value. Default: status, ^5. */
            label: someText.default("status"),
            pattern: someText.default("^5"),
        })
        .prefault({}),
    /**
     * Labels of users' requests in the pods' metrics; all must match. Default: all requests except those for the paths
     * of probes and metrics, if a label has the path.
     */
    select: labelPatterns.default({}),
    /** Labels of other requests, such as `user_agent: kube-probe`; one match excludes a request. Default: none. */
    exclude: labelPatterns.default({}),
    /** Request duration: the 95th percentile. */
    latency: z
        .strictObject({
            /**
             * Histogram in the pods' metrics, with or without `_seconds` or `_milliseconds`. Default: request_duration.
             */
            histogram: someText.default("request_duration"),
            /** Unit of the histogram if its name does not have it: `s` or `ms`. Default: s. */
            unit: z.enum(["s", "ms"], { error: "s or ms" }).default("s"),
            /** Limit, in milliseconds. Default: the baseline's limit only. */
            maxP95: wholeNumber(1, 600_000).optional(),
        })
        .prefault({}),
    /** Measurement of the active colour before the switch. */
    baseline: z
        .strictObject({
            /** Duration. Default: 1m. */
            duration: durationUpTo("1h").default(60),
            /** Limit of the increase of the error rate, in percentage points. Default: 1. */
            maxErrorIncrease: wholeNumber(0, 100).default(1),
            /** Limit of the increase of the 95th percentile, in percent. Default: 50. */
            maxLatencyIncrease: wholeNumber(1, 10_000).default(50),
        })
        .prefault({}),
    /**
     * Requests that the gate sends: those of `smoke`, through the Service and the public hosts that route their paths.
     */
    synthetic: z
        .strictObject({
            /** Interval between two rounds. Default: 10s. */
            interval: durationUpTo("10m").default(10),
            /** Whether requests also go through public hosts. Default: true. */
            publicHosts: z.boolean({ error: "true or false" }).default(true),
        })
        .prefault({}),
    /** Your own metrics, by name, each with a limit. Default: none. */
    metrics: z
        .record(
            z.string(),
            z.strictObject({
                /** Prometheus for `query`. Default: that of `soak.prometheus`. */
                url: prometheusUrl.optional(),
                /** PromQL that returns one number; $WINDOW is replaced by the time since the switch. */
                query: someText.optional(),
                /** A metric of CloudWatch instead of `query`, one value a minute. It may be some minutes late. */
                cloudwatch: z
                    .strictObject({
                        namespace: someText,
                        metric: someText,
                        /** Default: none. */
                        dimensions: z.record(z.string(), someText).default({}),
                        /** Average, Sum, Minimum, Maximum, SampleCount or a percentile such as p95. Default: Average. */
                        statistic: someText.default("Average"),
                    })
                    .optional(),
                /** Upper limit. Default: none. */
                max: number.optional(),
                /** Lower limit. Default: none. */
                min: number.optional(),
            }),
        )
        .default({})
        .superRefine((metrics, context) => {
            for (const [name, { url, query, cloudwatch, min, max }] of Object.entries(metrics)) {
                const problem = (path: string[], message: string) =>
                    context.addIssue({ code: "custom", path: [name, ...path], message });
                if (min !== undefined && max !== undefined && min > max)
                    problem(["min"], `at most max, ${max}`);
                if (query === undefined && cloudwatch === undefined) problem([], "query or cloudwatch");
                if (cloudwatch === undefined) continue;
                for (const [key, value] of Object.entries({ url, query })) {
                    if (value !== undefined) problem([key], "nothing, because cloudwatch is set");
                }
            }
        }),
});

type SoakValues = z.output<typeof soakValues>;

/** Checks the settings with the gate's own parser. */
export const soakSchema = soakValues.superRefine((soak, context) => {
    const settings = soakSettings(soak, {
        port: 8000,
        health: { live: "/", ready: "/", metrics: "/metrics" },
        region: "ap-south-1",
    });
    judgedByGate(
        () =>
            parseReleasePlan({
                gate: "soak",
                subject: "workload",
                namespace: "namespace",
                app: "workload",
                colour: "green",
                release: { hash: "hash", version: "version", image: "image" },
                ledger: "ledger",
                deadlineSeconds: soak.duration + SOAK_MARGIN_SECONDS,
                ...settings,
            }),
        (path) => valuePath(path, soak),
        context,
    );
});

/** Values of common labels. A pattern that matches a whole list excludes every request of users. */
const SAMPLES: readonly (readonly string[])[] = [
    ["/", "/mcp", "/q7/x"],
    ["GET", "POST"],
    ["200", "404", "503"],
    ["Mozilla/5.0", "curl/8.5.0", "node"],
];

/** Values of a label of the status, or of the result, of a failed request. */
const FAILED = ["500", "502", "503", "504", "5xx", "5XX", "error", "failed", "failure", "false"];

/** From this limit on, a release that fails every second request passes. */
const POINTLESS_ERROR_RATE_PERCENT = 50;

/** Refuses a soak of production that passes whatever the release does. */
export function checkSoak(
    { maxErrorRate, duration, onNoData, exclude, counters, prometheus }: SoakValues,
    problem: (path: string[], message: string) => void,
): void {
    if (maxErrorRate >= POINTLESS_ERROR_RATE_PERCENT) {
        problem(["maxErrorRate"], `less than ${POINTLESS_ERROR_RATE_PERCENT} in production`);
    }
    if (duration < 60 && onNoData === "pass") {
        problem(
            ["onNoData"],
            "fail in production, because less than 1m has too few requests; or a longer duration",
        );
    }
    if (prometheus !== undefined) {
        return;
    }
    for (const [label, pattern] of Object.entries(exclude)) {
        if (SAMPLES.some((values) => matching(pattern, values)?.length === values.length)) {
            problem(["exclude", label], "a pattern that leaves requests of users in production");
        }
    }
    if (/status|code/i.test(counters.label) && matching(counters.pattern, FAILED)?.length === 0) {
        problem(
            ["counters", "pattern"],
            "a pattern that matches a failed request's status in production, such as ^5",
        );
    }
}

/** Values that a pattern matches; undefined if it is no regular expression, which the gate's parser refuses. */
function matching(pattern: string, values: readonly string[]): string[] | undefined {
    try {
        const form = new RegExp(pattern);
        return values.filter((value) => form.test(value));
    } catch {
        return undefined;
    }
}

/** Settings of the soak gate, in the form of its plan. */
export function soakSettings(
    soak: SoakValues,
    {
        port,
        health,
        region,
    }: {
        port: number;
        health: { live: string; ready: string; metrics: string };
        region?: string | undefined;
    },
) {
    const { counters, prometheus, latency, baseline } = soak;
    const some = (patterns: Record<string, string>) =>
        Object.keys(patterns).length === 0 ? undefined : patterns;
    const metrics: SoakPlan["metrics"] =
        prometheus === undefined
            ? {
                  path: health.metrics,
                  port,
                  requests: { counter: counters.requests },
                  errors: { counter: counters.errors, labels: { [counters.label]: counters.pattern } },
                  // Users request `/` too, so it is not a probe's path here.
                  probePaths: [...new Set([health.live, health.ready, health.metrics])].filter(
                      (path) => path !== "/",
                  ),
                  ...(some(soak.select) && { select: soak.select }),
                  ...(some(soak.exclude) && { exclude: soak.exclude }),
                  duration: { histogram: latency.histogram, unit: latency.unit },
              }
            : {
                  prometheus: prometheus.url,
                  requests: prometheus.requests,
                  errors: prometheus.errors,
                  ...(prometheus.p95 && { p95: prometheus.p95 }),
              };
    const watched = Object.entries(soak.metrics)
        // A metric with neither is already refused.
        .filter(([, { query, cloudwatch }]) => query !== undefined || cloudwatch !== undefined)
        .map(([name, { url = prometheus?.url ?? "", query = "", cloudwatch, max, min }]) => ({
            name,
            ...(cloudwatch === undefined
                ? { prometheus: url, query }
                : { region: required(region, "mcp:aws.region"), ...cloudwatch }),
            ...(max !== undefined && { max }),
            ...(min !== undefined && { min }),
        }));
    return {
        durationSeconds: soak.duration,
        maxErrorPercent: soak.maxErrorRate,
        minimumRequests: soak.minimumRequests,
        allowNoData: soak.onNoData === "pass",
        maxErrorIncrease: baseline.maxErrorIncrease,
        latency: {
            ...(latency.maxP95 !== undefined && { maxP95Seconds: latency.maxP95 / 1000 }),
            maxIncreasePercent: baseline.maxLatencyIncrease,
        },
        metrics,
        ...(watched.length > 0 && { watched }),
    };
}

/** Maps a path of the gate's plan to the path below `soak`. */
function valuePath(path: string, soak: SoakValues): string[] {
    const [, label] = /^metrics\.(?:select|exclude)(?:\.|\[")([^"\]]+)/.exec(path) ?? [];
    if (label !== undefined) return [path.includes("select") ? "select" : "exclude", label];
    const [, index, field] = /^watched\[(\d+)\]\.?(\w*)/.exec(path) ?? [];
    if (index !== undefined) {
        const name = Object.keys(soak.metrics)[Number(index)]!;
        const below: Record<string, string[]> = {
            "": [],
            prometheus: ["url"],
            statistic: ["cloudwatch", "statistic"],
        };
        return ["metrics", name, ...(below[field!] ?? [field!])];
    }
    const [, value] = PATHS.find(([form]) => form.test(path)) ?? [];
    return value ?? [];
}

const PATHS: readonly (readonly [form: RegExp, value: string[]])[] = [
    [/^(durationSeconds|deadlineSeconds)/, ["duration"]],
    [/^maxErrorPercent/, ["maxErrorRate"]],
    [/^minimumRequests/, ["minimumRequests"]],
    [/^metrics\.requests\.counter/, ["counters", "requests"]],
    [/^metrics\.errors\.counter/, ["counters", "errors"]],
    [/^metrics\.errors\.labels/, ["counters", "pattern"]],
    [/^metrics\.duration/, ["latency", "histogram"]],
    [/^metrics\.prometheus/, ["prometheus", "url"]],
    [/^metrics\.requests/, ["prometheus", "requests"]],
    [/^metrics\.errors/, ["prometheus", "errors"]],
    [/^metrics\.p95/, ["prometheus", "p95"]],
];
