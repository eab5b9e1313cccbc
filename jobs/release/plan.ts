import * as z from "zod/mini";
import {
    anyText,
    number,
    objectName,
    oneOf,
    parse,
    seconds,
    text,
    variants,
    wholeNumber,
} from "../lib/schema";
import { baseUrl, smokePlan, smokeRequest } from "./smokeRequests";
import { podMetricsTarget } from "./podMetrics";
import { prometheusMetrics } from "./prometheus";
import { watchedMetric } from "./watchedMetrics";

/** Fields of every gate of a release. */
const common = {
    /** The release, for log lines: "mcp-server v2.1.0 (green)". */
    subject: text,
    /** Deadline of the run in seconds, after which the gate fails. */
    deadlineSeconds: seconds,
    namespace: objectName,
    /** Label `app` of the pods, name of the live Service, and key in the release history. */
    app: objectName,
    /** The release, as in the history. */
    release: z.strictObject({
        /** Changes with everything that requires a new test. */
        hash: text,
        version: text,
        image: text,
        /** Environment of its containers, for a rollback. */
        config: z.optional(z.record(z.string(), anyText)),
        /** The change request of its approval. */
        ticket: z.optional(text),
    }),
    /** Name of the ConfigMap with the release history. It must exist. */
    ledger: objectName,
};

/** The target: its pods have the label `version: <colour>`, its Deployment is `<app>-<colour>`. */
const colour = oneOf("blue", "green");

/** Time of a soak gate in addition to the measurement, in seconds, including pods that are not ready at its end. */
export const SOAK_MARGIN_SECONDS = 240;

/** Source of requests and errors. */
const metrics = z.union([prometheusMetrics, podMetricsTarget], "metrics of Prometheus or of the pods");

/** A route to the active colour for the soak gate's smoke requests. */
const syntheticRoute = z.strictObject({
    /** Base URL: the live Service, or a public host. */
    target: baseUrl,
    /** Whether to skip it if it does not respond as expected before the switch, for example from a private network. */
    optional: z.boolean(),
    requests: z.array(smokeRequest, "a list").check(z.minLength(1, "a list of at least one")),
});

/** Requests that the soak gate sends itself, so that there are some to evaluate. */
const synthetic = z.strictObject({
    /** Interval of the rounds. */
    everySeconds: seconds,
    routes: z.array(syntheticRoute, "a list"),
});

/** How the active colour is measured before the switch. */
const baseline = z.strictObject({
    /** Duration. */
    seconds,
    metrics,
    /** Tries optional routes. */
    routes: z.array(syntheticRoute, "a list"),
});

/** The target has at least as many ready pods as the active colour; then that is measured. */
const capacityPlan = z.strictObject({
    gate: z.literal("capacity"),
    ...common,
    colour,
    /** Default: no measurement. */
    baseline: z.optional(baseline),
});

/** The target responds as expected: before it gets traffic, or after the rollout of an app without colours. */
const releaseSmokePlan = z.strictObject({
    gate: z.literal("smoke"),
    ...common,
    /** Undefined for an app without colours. */
    colour: z.optional(colour),
    /**
     * URL of the target colour's Service, http://<app>-<colour>:<port>, or of the Service of an app without colours.
     */
    smoke: smokePlan,
});

/** Limits of the release with live traffic. */
const soakSettings = {
    /** Less than the deadline. */
    durationSeconds: seconds,
    /** Limit of failed requests, in percent of all; more fails the release. */
    maxErrorPercent: number(0, 100),
    /** Minimum number of users' requests; with fewer, the gate fails as inconclusive. */
    minimumRequests: wholeNumber(0, Number.MAX_SAFE_INTEGER),
    /** Whether fewer requests pass, as in an environment that is idle at night. A high error rate still fails. */
    allowNoData: z.boolean(),
    /** Limit of the error rate's increase over the baseline, in percentage points. Default: not compared. */
    maxErrorIncrease: z.optional(number(0, 100)),
    /** Limits of the 95th percentile of request durations. Default: none. */
    latency: z.optional(
        z.strictObject({
            /** In seconds. Default: none. */
            maxP95Seconds: z.optional(seconds),
            /** Limit of its increase over the baseline, in percent. Default: not compared. */
            maxIncreasePercent: z.optional(number(0, 10_000)),
        }),
    ),
    metrics,
    /** Default: no requests. */
    synthetic: z.optional(synthetic),
    /** The user's own metrics, each with its limit. Default: none. */
    watched: z.optional(z.array(watchedMetric, "a list")),
};

/** The target, live now, stays within its limits. */
const soakPlan = z
    .strictObject({
        gate: z.literal("soak"),
        ...common,
        colour,
        ...soakSettings,
        /**
         * Minimum duration of the gate, in seconds, even for a known release: a load balancer that follows the switch
         * must have left the old colour before it is scaled to 0. Default: 0.
         */
        lingerSeconds: z.optional(seconds),
        /** Ingress whose weights must have switched too. Default: only the Service switches. */
        ingress: z.optional(objectName),
    })
    .check((ctx) => {
        const { durationSeconds, deadlineSeconds } = ctx.value;
        if (deadlineSeconds > durationSeconds) return;
        ctx.issues.push({
            code: "custom",
            input: deadlineSeconds,
            path: ["deadlineSeconds"],
            message: `more than durationSeconds (${durationSeconds})`,
        });
    });

/** Any gate of a release. */
const releasePlan = variants("gate", [capacityPlan, releaseSmokePlan, soakPlan]);

export type CapacityPlan = z.infer<typeof capacityPlan>;
export type ReleaseSmokePlan = z.infer<typeof releaseSmokePlan>;
export type SoakPlan = z.infer<typeof soakPlan>;
export type BaselinePlan = z.infer<typeof baseline>;
export type SyntheticRoute = z.infer<typeof syntheticRoute>;
export type MetricsPlan = z.infer<typeof metrics>;

/** Plan of one gate of a blue-green release. */
export type ReleasePlan = CapacityPlan | ReleaseSmokePlan | SoakPlan;

/** Arguments common to all gates of a release. */
export type GateBase = Omit<ReleaseSmokePlan, "gate" | "smoke">;

/** Parses a plan's file; throws an error with path, found and expected. */
export function parseReleasePlan(raw: unknown): ReleasePlan {
    return parse(releasePlan, raw);
}
