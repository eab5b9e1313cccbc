import { z } from "zod";
import { getOwn } from "../core/getOwn";
import { SERVER, SLOW_REQUEST_MILLISECONDS } from "../core/numbers";
import { dnsLabel, duration, memoryQuantity, percent, text, wholeNumber } from "./scalars";

/** Whole periods of five minutes, the period of the traffic alarms. Parsed to minutes. */
const quietTime = duration.transform((seconds, context) => {
    if (seconds % 300 !== 0 || seconds > 86_400) {
        context.addIssue({ code: "custom", message: "a multiple of 5m, at most 1d" });
    }
    return seconds / 60;
});

/** Name of one of MCP Server's metrics. The collector keeps only names that contain one of the runbook's words. */
const metric = (part: string) =>
    text(new RegExp(`^\\w*${part}\\w*$`), `the name of a metric with ${part} in it`);

/** Service level objectives of a workload, in percent. */
const objective = z
    .strictObject({
        /**
         * Share of requests that succeed. If the workload's requests are not counted: share of health checks that
         * succeed.
         */
        availability: z
            .number({ error: "a share such as 99.9" })
            .min(90, "from 90 to 99.99")
            .max(99.99, "from 90 to 99.99")
            .optional(),
        /** Share of requests that are fast enough (section 6.2). MCP Server only. */
        latency: z
            .number({ error: "a share such as 99" })
            .min(90, "from 90 to 99.99")
            .max(99.99, "from 90 to 99.99")
            .optional(),
    })
    .refine(({ availability, latency }) => availability !== undefined || latency !== undefined, {
        error: "availability, latency or both",
    });

/**
 * Service level objectives, by workload. An alarm fires when an error budget is used up too fast, in addition to the
 * runbook's alarms. Default: none.
 */
export const objectivesSchema = z.record(dnsLabel, objective);

/** Alarm limits for which the runbook has no number. Sections 4.3 and 6.3. */
export const alarmsSchema = z.strictObject({
    /** Minimum number of requests, or tool executions, in five minutes for a share to be evaluated. Default: 20. */
    minimumRequests: wholeNumber(1, 1_000_000).default(20),
    /** Limit of the share of requests answered 401, in percent. Expired tokens cause some. Default: 20. */
    refusedSignIns: percent.default(20),
    /** How long MCP Server may receive no request. Default: no limit, because there may be no users. */
    noTraffic: quietTime.optional(),
    /** Limit of APIM's response time, in milliseconds. Default: 2000. */
    apimLatency: wholeNumber(50, 5000).default(2000),
    /** Circuit breakers and errors of MCP Server, from its `/metrics`. Sections 4.3.1 step 4 and 4.3.2 step 2. */
    application: z
        .strictObject({
            circuitBreaker: z
                .strictObject({
                    /** Metric of the circuit breakers' state. Default: circuit_breaker_state. */
                    metric: metric("circuit_breaker").default("circuit_breaker_state"),
                    /** Lowest value of an open circuit breaker. Default: 1. */
                    open: wholeNumber(1, 100).default(1),
                })
                .prefault({}),
            /** Counters of requests and of failed requests. Section 6.3. */
            requests: z
                .strictObject({
                    /** Counter of all requests. Default: requests_total. */
                    total: metric("requests_total").default("requests_total"),
                    /** Counter of failed requests. Default: errors_total. */
                    errors: metric("error").default("errors_total"),
                })
                .prefault({}),
            /** Request duration. Section 6.3. */
            duration: z
                .strictObject({
                    /** Histogram or summary. Default: request_duration_seconds. */
                    metric: metric("request_duration").default("request_duration_seconds"),
                    /**
                     * Limit of the mean over five minutes, in the metric's unit. Default: 5, which section 6.2 calls
                     * slow.
                     */
                    most: wholeNumber(1, 100_000).default(SLOW_REQUEST_MILLISECONDS / 1000),
                })
                .prefault({}),
            /** Database connection pool of a pod. */
            pool: z
                .strictObject({
                    /** Metric of the connections in use. Default: db_pool_used. */
                    used: metric("db_pool").default("db_pool_used"),
                    /** Metric of the pool's size. Default: db_pool_size. */
                    size: metric("db_pool").default("db_pool_size"),
                    /** Limit of the share in use, in percent. Default: 90. */
                    share: percent.default(90),
                })
                .prefault({}),
        })
        .prefault({}),
    /** Pods of all services. Section 4.3.3. */
    pods: z
        .strictObject({
            /** Limit of CPU use, in percent of the CPU limit. Default: 90. */
            cpu: percent.default(90),
            /** Limit of memory use, in percent of the memory limit. Default: 90. */
            memory: percent.default(90),
            /** Limit of container restarts within 15 minutes. Default: 2. */
            restarts: wholeNumber(0, 100).default(2),
        })
        .prefault({}),
    /** PostgreSQL. */
    database: z
        .strictObject({
            /** Limit of open connections. AWS allows about one for each 9 MiB of memory. Default: 300. */
            connections: wholeNumber(10, 5000).default(300),
            /** Limit of idle connections, in percent of `connections`. Default: 70. */
            idle: percent.default(70),
            /** Minimum of free memory. Default: 256Mi. */
            freeMemory: memoryQuantity.default("256Mi"),
            /**
             * Minimum of free disk, in percent of `storage.initial`. RDS extends the disk at 10 percent. Default: 5.
             */
            freeStorage: percent.default(5),
            /** Limit of transaction ids in use. PostgreSQL stops writes at 2 billion. Default: a billion. */
            transactionIds: wholeNumber(200_000_000, 1_900_000_000).default(1_000_000_000),
        })
        .prefault({}),
    /** Redis. */
    cache: z
        .strictObject({
            /** Limit of memory in use, in percent. Default: 80. */
            memory: percent.default(80),
            /** Limit of keys evicted within five minutes. Default: 100. */
            evictions: wholeNumber(0, 1_000_000).default(100),
        })
        .prefault({}),
});

/** See {@link alarmsSchema}. */
export type AlarmsValues = z.output<typeof alarmsSchema>;

/** Rules of the objectives that depend on other values of the stack. */
export function checkObjectives(
    {
        objectives,
        workloads,
        health,
        observability,
    }: {
        objectives: z.output<typeof objectivesSchema>;
        workloads: Record<string, unknown>;
        health?: unknown;
        observability?: unknown;
    },
    context: z.core.$RefinementCtx,
): void {
    for (const [workload, { latency }] of Object.entries(objectives)) {
        const problem = (path: string[], message: string) =>
            context.addIssue({ code: "custom", path: ["objectives", workload, ...path], message });
        if (getOwn(workloads, workload) === undefined) {
            problem([], `one of ${Object.keys(workloads).join(", ")}`);
        } else if (workload === SERVER && observability === undefined) {
            problem([], "mcp:observability, because requests are counted in its log");
        } else if (workload !== SERVER && health === undefined) {
            problem([], "mcp:health, because its health checks are counted");
        }
        if (workload !== SERVER && latency !== undefined) {
            problem(["latency"], `only of ${SERVER}: no other workload's requests are counted`);
        }
    }
}
