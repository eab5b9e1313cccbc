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

/** Label of the metrics to a regular expression that its value matches somewhere. */
const labelPatterns = z.record(z.string(), z.string({ error: "a regular expression" }));

const number = z.number({ error: "a number" });

/** What the soak gate watches once traffic has moved. Section 3.3. */
const soakValues = z.strictObject({
    /** How long. Default: 10m. */
    duration: durationUpTo("12h").default(SOAK_SECONDS),
    /** Most requests of users that may fail, in percent. Default: 5. */
    maxErrorRate: percent.default(HIGH_ERROR_RATE_PERCENT),
    /** Fewest requests of users that a verdict may rest on. Default: 200. */
    minimumRequests: wholeNumber(1, 1_000_000).default(200),
    /** What too few requests mean: `fail` or `pass`. Default: fail. */
    onNoData: z.enum(["fail", "pass"], { error: "fail or pass" }).default("fail"),
    /** Asks Prometheus instead of the pods, with expressions that give one number. Default: the pods. */
    prometheus: z
        .strictObject({
            /** Base URL inside the cluster, as http://prometheus.monitoring:9090. */
            url: prometheusUrl,
            /** PromQL for the requests of a window; $WINDOW stands for its length. */
            requests: someText,
            /** PromQL for the failed ones. */
            errors: someText,
            /** PromQL for the 95th percentile of how long they take, in seconds. Default: not known. */
            p95: someText.optional(),
        })
        .optional(),
    /** Counters of the pods' metrics. Default: requests_total, those with a status of 5xx as errors. */
    counters: z
        .strictObject({
            requests: someText.default("requests_total"),
            errors: someText.default("requests_total"),
            /** Label that tells errors apart, and the pattern its value matches. Default: status, ^5. */
            label: someText.default("status"),
            pattern: someText.default("^5"),
        })
        .prefault({}),
    /**
     * Labels by which the pods' metrics tell users' requests: every one of them matches. Default: all requests but those
     * for the paths of the probes and of the metrics, where a label says the path.
     */
    select: labelPatterns.default({}),
    /** Labels by which they tell others, such as `user_agent: kube-probe`: one that matches is enough. Default: none. */
    exclude: labelPatterns.default({}),
    /** How long requests take: the 95th percentile. */
    latency: z
        .strictObject({
            /** Histogram of the pods' metrics, with or without `_seconds` or `_milliseconds`. Default: request_duration. */
            histogram: someText.default("request_duration"),
            /** Its unit where its name does not say it: `s` or `ms`. Default: s. */
            unit: z.enum(["s", "ms"], { error: "s or ms" }).default("s"),
            /** Most that it may be, in milliseconds. Default: no limit but the baseline's. */
            maxP95: wholeNumber(1, 600_000).optional(),
        })
        .prefault({}),
    /** The active colour as it is measured before the switch. */
    baseline: z
        .strictObject({
            /** For how long. Default: 1m. */
            duration: durationUpTo("1h").default(60),
            /** Most percentage points that the error rate may exceed its error rate by. Default: 1. */
            maxErrorIncrease: wholeNumber(0, 100).default(1),
            /** Most that the 95th percentile may exceed its 95th percentile by, in percent. Default: 50. */
            maxLatencyIncrease: wholeNumber(1, 10_000).default(50),
        })
        .prefault({}),
    /** The gate's own requests: those of `smoke`, through the Service and the public hosts that lead to their paths. */
    synthetic: z
        .strictObject({
            /** Between two rounds. Default: 10s. */
            interval: durationUpTo("10m").default(10),
            /** Whether they go through public hosts, too. Default: true. */
            publicHosts: z.boolean({ error: "true or false" }).default(true),
        })
        .prefault({}),
    /** Metrics of your own, by name, with a limit each. Default: none. */
    metrics: z
        .record(
            z.string(),
            z.strictObject({
                /** Prometheus that `query` goes to. Default: that of `soak.prometheus`. */
                url: prometheusUrl.optional(),
                /** PromQL that gives one number; $WINDOW stands for the time since the switch. */
                query: someText.optional(),
                /** A metric of CloudWatch instead, a value a minute. It may be some minutes late. */
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
                /** Most that it may be. Default: no limit. */
                max: number.optional(),
                /** Least that it must be. Default: no limit. */
                min: number.optional(),
            }),
        )
        .default({})
        .superRefine((metrics, context) => {
            for (const [name, { url, query, cloudwatch }] of Object.entries(metrics)) {
                const problem = (path: string[], message: string) =>
                    context.addIssue({ code: "custom", path: [name, ...path], message });
                if (query === undefined && cloudwatch === undefined) problem([], "query or cloudwatch");
                if (cloudwatch === undefined) continue;
                for (const [key, value] of Object.entries({ url, query })) {
                    if (value !== undefined) problem([key], "nothing, because cloudwatch is there");
                }
            }
        }),
});

type SoakValues = z.output<typeof soakValues>;

/** The same, checked by the gate's own parser. */
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

/** The settings of the soak gate, as its plan has them. */
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
                  // Users ask for `/`, too: what probes ask of it is measured instead.
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
        // One without either is refused for that alone.
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

/** Where a value is below `soak` that the gate's plan has at a path. */
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
