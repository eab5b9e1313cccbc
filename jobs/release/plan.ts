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
    /** Who is being released, for the lines printed: "mcp-server v2.1.0 (green)". */
    subject: text,
    /** Whole-run limit in seconds; when it is over, the gate fails. */
    deadlineSeconds: seconds,
    namespace: objectName,
    /** Label `app` of the pods, name of the live Service, and key of the release's history. */
    app: objectName,
    /** The release, as the history remembers it. */
    release: z.strictObject({
        /** Changes with whatever would have to be tested again. */
        hash: text,
        version: text,
        image: text,
        /** Environment of its containers, for a rollback to it. */
        config: z.optional(z.record(z.string(), anyText)),
        /** The change request it was approved under. */
        ticket: z.optional(text),
    }),
    /** Name of the ConfigMap with the release history. It must exist. */
    ledger: objectName,
};

/** The target: its pods are labelled `version: <colour>`, its Deployment is `<app>-<colour>`. */
const colour = oneOf("blue", "green");

/** Time that a soak gate needs besides its watch, in seconds: for pods that are on their way at its end, too. */
export const SOAK_MARGIN_SECONDS = 240;

/** Where requests and errors are counted. */
const metrics = z.union([prometheusMetrics, podMetricsTarget], "metrics of Prometheus or of the pods");

/** A way to the live colour that the soak gate sends the smoke requests by. */
const syntheticRoute = z.strictObject({
    /** Base URL: the live Service, or a public host. */
    target: baseUrl,
    /** Whether it is left out when it does not answer as expected before the switch, as from inside a private network. */
    optional: z.boolean(),
    requests: z.array(smokeRequest, "a list").check(z.minLength(1, "a list of at least one")),
});

/** Requests that the soak gate sends itself, so that there are some to judge by. */
const synthetic = z.strictObject({
    /** Between two rounds. */
    everySeconds: seconds,
    routes: z.array(syntheticRoute, "a list"),
});

/** How the active colour is measured before the switch. */
const baseline = z.strictObject({
    /** For how long. */
    seconds,
    metrics,
    /** Those that are optional are tried out. */
    routes: z.array(syntheticRoute, "a list"),
});

/** The target has at least as many ready pods as the live colour; then the live one is measured. */
const capacityPlan = z.strictObject({
    gate: z.literal("capacity"),
    ...common,
    colour,
    /** Default: nothing is measured. */
    baseline: z.optional(baseline),
});

/** The target answers as planned: before it gets traffic, or after the rollout of an app without colours. */
const releaseSmokePlan = z.strictObject({
    gate: z.literal("smoke"),
    ...common,
    /** Missing where the app has no colours. */
    colour: z.optional(colour),
    /** With the target colour's own Service, http://<app>-<colour>:<port>, or the Service of an app without colours. */
    smoke: smokePlan,
});

/** What the release must keep to with live traffic. */
const soakSettings = {
    /** Less than the deadline. */
    durationSeconds: seconds,
    /** Highest share of failed requests, in percent of all requests; more fails the release. */
    maxErrorPercent: number(0, 100),
    /** With fewer requests of users, their error rate says nothing: the gate fails as inconclusive. */
    minimumRequests: wholeNumber(0, Number.MAX_SAFE_INTEGER),
    /** Whether fewer requests are good enough, as in an environment that is idle at night. A high error rate still fails. */
    allowNoData: z.boolean(),
    /** Most percentage points that the error rate may exceed the baseline's by. Default: the baseline is not compared. */
    maxErrorIncrease: z.optional(number(0, 100)),
    /** Limits of the 95th percentile of how long requests take. Default: none. */
    latency: z.optional(
        z.strictObject({
            /** In seconds. Default: none. */
            maxP95Seconds: z.optional(seconds),
            /** Most that it may exceed the baseline's by, in percent of that. Default: it is not compared. */
            maxIncreasePercent: z.optional(number(0, 10_000)),
        }),
    ),
    metrics,
    /** Default: the gate sends none. */
    synthetic: z.optional(synthetic),
    /** Metrics of the user's own, each with its limit. Default: none. */
    watched: z.optional(z.array(watchedMetric, "a list")),
};

/** The target, live now, does well for a while. */
const soakPlan = z
    .strictObject({
        gate: z.literal("soak"),
        ...common,
        colour,
        ...soakSettings,
        /**
         * How long the gate lasts at least, in seconds, even for a release that is known: what follows the switch by itself,
         * as a load balancer does, must have left the old colour before that is scaled away. Default: 0.
         */
        lingerSeconds: z.optional(seconds),
        /** Ingress whose weights must have moved the traffic, too. Default: the Service alone moves it. */
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

/** Any of a release's gates. */
const releasePlan = variants("gate", [capacityPlan, releaseSmokePlan, soakPlan]);

export type CapacityPlan = z.infer<typeof capacityPlan>;
export type ReleaseSmokePlan = z.infer<typeof releaseSmokePlan>;
export type SoakPlan = z.infer<typeof soakPlan>;
export type BaselinePlan = z.infer<typeof baseline>;
export type SyntheticRoute = z.infer<typeof syntheticRoute>;
export type MetricsPlan = z.infer<typeof metrics>;

/** What one gate of a blue-green release checks. */
export type ReleasePlan = CapacityPlan | ReleaseSmokePlan | SoakPlan;

/** Arguments common to all gates of a release. */
export type GateBase = Omit<ReleaseSmokePlan, "gate" | "smoke">;

/** Checks what was read from a plan's file; throws an error with path, found and expected. */
export function parseReleasePlan(raw: unknown): ReleasePlan {
    return parse(releasePlan, raw);
}
