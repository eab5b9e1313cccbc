import { z } from "zod";
import { getOwn } from "../core/getOwn";
import { SERVER, SLOW_REQUEST_MILLISECONDS } from "../core/numbers";
import { dnsLabel, duration, memoryQuantity, percent, text, wholeNumber } from "./scalars";

/** Whole periods of five minutes, as traffic is looked at; parsed to minutes. */
const quietTime = duration.transform((seconds, context) => {
    if (seconds % 300 !== 0 || seconds > 86_400) {
        context.addIssue({ code: "custom", message: "a multiple of 5m, at most 1d" });
    }
    return seconds / 60;
});

/** One of MCP Server's own metrics, by a name that holds what the runbook looks for: no other is collected. */
const metric = (part: string) =>
    text(new RegExp(`^\\w*${part}\\w*$`), `the name of a metric with ${part} in it`);

/** What a workload promises, as shares in percent. */
const objective = z
    .strictObject({
        /** Requests that must not fail; of a workload whose requests are not counted, health checks. */
        availability: z
            .number({ error: "a share such as 99.9" })
            .min(90, "from 90 to 99.99")
            .max(99.99, "from 90 to 99.99")
            .optional(),
        /** Requests that must not be slow (section 6.2). Of MCP Server alone. */
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
 * Service level objectives, by workload. Budgets that are used up too fast ring, in addition to the runbook's numbers.
 * Default: none.
 */
export const objectivesSchema = z.record(dnsLabel, objective);

/** Limits of the alarms that the runbook has no number for. Sections 4.3 and 6.3. */
export const alarmsSchema = z.strictObject({
    /** Fewest requests, or executions of tools, in five minutes that a share may be judged by. Default: 20. */
    minimumRequests: wholeNumber(1, 1_000_000).default(20),
    /** Share of requests answered 401, in percent, that is more than expired tokens. Default: 20. */
    refusedSignIns: percent.default(20),
    /** How long MCP Server may be without any request. Default: for ever, because nobody may be there. */
    noTraffic: quietTime.optional(),
    /** Milliseconds that APIM may take to answer. Default: 2000. */
    apimLatency: wholeNumber(50, 5000).default(2000),
    /** MCP Server, by what it says of itself in `/metrics`. Sections 4.3.1 step 4 and 4.3.2 step 2. */
    application: z
        .strictObject({
            circuitBreaker: z
                .strictObject({
                    /** The state of each. Default: circuit_breaker_state. */
                    metric: metric("circuit_breaker").default("circuit_breaker_state"),
                    /** Least value of one that is open. Default: 1. */
                    open: wholeNumber(1, 100).default(1),
                })
                .prefault({}),
            /** Requests since a pod's start, and those that failed. Section 6.3. */
            requests: z
                .strictObject({
                    /** All of them. Default: requests_total. */
                    total: metric("requests_total").default("requests_total"),
                    /** Those that failed. Default: errors_total. */
                    errors: metric("error").default("errors_total"),
                })
                .prefault({}),
            /** How long requests take. Section 6.3. */
            duration: z
                .strictObject({
                    /** A histogram or summary. Default: request_duration_seconds. */
                    metric: metric("request_duration").default("request_duration_seconds"),
                    /** Longest mean of five minutes, in the metric's unit. Default: 5, as a slow request in section 6.2. */
                    most: wholeNumber(1, 100_000).default(SLOW_REQUEST_MILLISECONDS / 1000),
                })
                .prefault({}),
            /** A pod's pool of connections to the database. */
            pool: z
                .strictObject({
                    /** Those in use. Default: db_pool_used. */
                    used: metric("db_pool").default("db_pool_used"),
                    /** All that it may have. Default: db_pool_size. */
                    size: metric("db_pool").default("db_pool_size"),
                    /** Share in use, in percent. Default: 90. */
                    share: percent.default(90),
                })
                .prefault({}),
        })
        .prefault({}),
    /** Pods of the services. Section 4.3.3. */
    pods: z
        .strictObject({
            /** Share of their CPU limit in use, in percent. Default: 90. */
            cpu: percent.default(90),
            /** The same of memory. Default: 90. */
            memory: percent.default(90),
            /** Restarts of containers within 15 minutes. Default: 2. */
            restarts: wholeNumber(0, 100).default(2),
        })
        .prefault({}),
    /** PostgreSQL. */
    database: z
        .strictObject({
            /** Most connections. AWS lets an instance take about one for 9 MiB of its memory. Default: 300. */
            connections: wholeNumber(10, 5000).default(300),
            /** Connections that are open and do nothing, in percent of `connections`. Default: 70. */
            idle: percent.default(70),
            /** Least memory that is free. Default: 256Mi. */
            freeMemory: memoryQuantity.default("256Mi"),
            /** Least disk that is free, in percent of `storage.initial`. At 10 it grows by itself. Default: 5. */
            freeStorage: percent.default(5),
            /** Transaction ids in use. At 2 billion it takes no more writes. Default: a billion. */
            transactionIds: wholeNumber(200_000_000, 1_900_000_000).default(1_000_000_000),
        })
        .prefault({}),
    /** Redis. */
    cache: z
        .strictObject({
            /** Memory in use, in percent. Default: 80. */
            memory: percent.default(80),
            /** Keys evicted within five minutes. Default: 100. */
            evictions: wholeNumber(0, 1_000_000).default(100),
        })
        .prefault({}),
});

/** See {@link alarmsSchema}. */
export type AlarmsValues = z.output<typeof alarmsSchema>;

/** Rules of the objectives that need the rest of the stack's values. */
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
            problem([], "mcp:observability, because its log is what is counted");
        } else if (workload !== SERVER && health === undefined) {
            problem([], "mcp:health, because its checks are what is counted");
        }
        if (workload !== SERVER && latency !== undefined) {
            problem(["latency"], `only of ${SERVER}: no other workload's requests are counted`);
        }
    }
}
