import { z } from "zod";
import { type Tier } from "../core/labels";
import { LOG_RETENTION_DAYS, SERVER, TRIAL_LOG_RETENTION_DAYS } from "../core/numbers";
import { getOwn } from "../core/getOwn";
import { distinct, dnsLabel, duration, text } from "./scalars";
import { isProduction } from "./tier";

/** Retentions that CloudWatch accepts, in days. */
const RETENTIONS = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const retention = duration.transform((seconds, context) => {
    const days = seconds / 86_400;
    if (!RETENTIONS.includes(days)) {
        const message = `a retention that CloudWatch accepts: ${RETENTIONS.join("d, ")}d`;
        context.addIssue({ code: "custom", message });
    }
    return days;
});

/** Field of a JSON log line, at its top level. */
const field = text(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of a top-level field, such as event_type");

/** Scrape interval of the services' metrics. CloudWatch stores and alarms evaluate them by the minute. */
const interval = duration.refine((seconds) => seconds >= 10 && seconds <= 60, "10s to 60s");

/** Logs and metrics in CloudWatch. Sections 4.3, 5.3, 6.2 and 6.3. */
export const observabilitySchema = z.strictObject({
    /**
     * How long logs stay searchable. The default is the minimum: 365d in production, 30d elsewhere. MCP Server's own
     * logs are kept as section 5.3 says, independent of this value.
     */
    retention: retention.optional(),
    /**
     * Marks audit events: this text in this field. Audit events go to the archive in addition to the service's log.
     * Default: `audit` in `event_type`. Sections 5.3 and 7.1.
     */
    audit: z
        .strictObject({
            field: field.default("event_type"),
            value: text(/^[\w.-]+$/, "a text of letters, digits, _, . and -, such as audit").default("audit"),
        })
        .prefault({}),
    /** Field of MCP Server's JSON log with the path of a request; requests of probes are not counted. Default: path. */
    pathField: field.default("path"),
    /**
     * Field of MCP Server's log events with the HTTP status as a number. Error rate, traffic and the statuses of
     * section 6.1 are counted by it. Default: status_code.
     */
    statusField: field.default("status_code"),
    /** The services' metrics, from `health.metrics` of each. Sections 4.3.1, 4.3.2 and 6.3. */
    metrics: z
        .strictObject({
            /** Default: 30s. */
            interval: interval.default(30),
            /** Workloads that have metrics. Default: mcp-server. */
            workloads: distinct(z.array(dnsLabel).min(1, "at least one workload")).default([SERVER]),
        })
        .prefault({}),
    /**
     * Add-on of the whole cluster for CPU, memory and restarts of pods. `false` if it is installed otherwise, for
     * example by another stack on the cluster. Default: installed, in AWS's version for the cluster. Section 4.3.3.
     */
    podMetrics: z
        .union(
            [
                z.literal(false),
                z.strictObject({
                    /** Version of the add-on amazon-cloudwatch-observability. Default: AWS's for the cluster. */
                    version: text(
                        /^v\d+\.\d+\.\d+-eksbuild\.\d+$/,
                        "a version of an add-on, such as v4.4.0-eksbuild.1",
                    ).optional(),
                }),
            ],
            { error: "false, or an object with the add-on's version" },
        )
        .prefault({}),
});

/** See {@link observabilitySchema}. */
export type ObservabilityValues = z.output<typeof observabilitySchema>;

/** Log groups below `/mcp/<environment>/` that no service may use. */
const RESERVED_GROUPS = ["audit", "audit-delivery", "jobs", "metrics", "patches"];

/** Log group of a workload, below `/mcp/<environment>/`. The runbook names MCP Server's `server`. Section 5.3. */
export function logGroupOf(workload: string): string {
    return workload === SERVER ? "server" : workload;
}

/** Rules of the logs that depend on other values of the stack. */
export function checkObservability(
    {
        observability,
        environment,
        tier,
        kubernetes,
        jobs,
        workloads,
    }: {
        observability?: ObservabilityValues | undefined;
        environment: string;
        tier?: Tier | undefined;
        kubernetes: { cluster?: string | undefined };
        jobs: { images: Record<string, string | undefined> };
        workloads: Record<string, unknown>;
    },
    context: z.core.$RefinementCtx,
): void {
    if (observability === undefined) {
        return;
    }
    const problem = (path: PropertyKey[], message: string) =>
        context.addIssue({ code: "custom", path, message });
    if (kubernetes.cluster === undefined) {
        problem(["observability"], "mcp:kubernetes.cluster, because pods have AWS rights on EKS only");
    }
    if (getOwn(workloads, SERVER) === undefined) {
        problem(["workloads", SERVER], "a workload, because mcp:observability searches its log");
    }
    const images = { fluentBit: "it ships the pods' logs", collector: "it collects their metrics" };
    for (const [image, reason] of Object.entries(images)) {
        if (getOwn(jobs.images, image) === undefined) {
            problem(["jobs", "images", image], `an image, because ${reason}`);
        }
    }
    observability.metrics.workloads.forEach((workload, index) => {
        if (getOwn(workloads, workload) === undefined) {
            const path = ["observability", "metrics", "workloads", index];
            problem(path, `one of ${Object.keys(workloads).join(", ")}`);
        }
    });
    const least = isProduction({ environment, tier }) ? LOG_RETENTION_DAYS : TRIAL_LOG_RETENTION_DAYS;
    if (observability.retention !== undefined && observability.retention < least) {
        problem(["observability", "retention"], `at least ${least}d (section 5.3)`);
    }
    const taken = [...RESERVED_GROUPS, logGroupOf(SERVER)];
    for (const workload of Object.keys(workloads).filter((name) => taken.includes(name))) {
        problem(["workloads", workload], "another name: mcp:observability declares a log group of this name");
    }
}
