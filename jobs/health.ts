import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type GateContext, gateMain } from "./lib/gate";
import { CREDENTIALS, handOver, type MetricDatum } from "./lib/sharedVolume";
import { withTimeout } from "./lib/http";
import { carryOut, type ProbeResult, probes } from "./lib/probes";
import * as z from "zod/mini";
import { list, parse, seconds, text, textWhere, wholeNumber } from "./lib/schema";

/** A time with its zone. */
const time = textWhere((value) => !Number.isNaN(Date.parse(value)), "a time");

/** Targets of the health check, and the namespace of its metrics. */
const healthPlan = z.strictObject({
    /** CloudWatch namespace of the metrics: "MCP/production". */
    namespace: text,
    /** Deadline of the run in seconds; a target without response by then is unhealthy. */
    deadlineSeconds: seconds,
    /** At least one. They run in parallel, and are printed in this order. */
    probes,
    /** File with the count of idle connections from an earlier step. Default: not counted. */
    idleConnections: z.optional(text),
    /** Credentials whose age is measured. Default: none. */
    credentials: z.optional(
        z.strictObject({
            /** Age above which a line asks for a rotation. */
            maxDays: wholeNumber(1, 3650),
            /** What each is called, and when it was made. */
            all: list(z.strictObject({ name: text, made: time })),
        }),
    ),
});

/** Targets of the health check, and the namespace of its metrics. */
export type HealthPlan = z.infer<typeof healthPlan>;

/** Context of a run. */
export interface HealthOptions extends GateContext {
    /** Folder of the task's secrets. */
    secrets: string;
    /** Directory shared by the steps. */
    handover: string;
    /** Current time. Default: now. */
    date?: () => Date;
}

/** Result of one row of the matrix. */
export interface Row extends ProbeResult {
    name: string;
}

const DAY_MILLISECONDS = 86_400_000;

/** Age of the oldest credential, in days, with a line for each that is too old; undefined where there are none. */
export function oldestCredential(
    { credentials }: HealthPlan,
    now: Date,
    log: (line: string) => void,
): number | undefined {
    const ages = (credentials?.all ?? []).map(({ name, made }) => ({
        name,
        days: Math.floor((now.getTime() - Date.parse(made)) / DAY_MILLISECONDS),
    }));
    for (const { name, days } of ages.filter(({ days }) => days > credentials!.maxDays)) {
        log(`! ${name}: made ${days} days ago, at most ${credentials!.maxDays}: rotate it`);
    }
    return ages.length === 0 ? undefined : Math.max(...ages.map(({ days }) => days));
}

const TITLE = "=== MCP Platform Health Check ===";

/** Runs all probes and prints a line each, as in section 2.2; never rejects. */
export async function runHealth(plan: HealthPlan, options: HealthOptions): Promise<Row[]> {
    const { log, secrets, handover, now = () => performance.now(), date = () => new Date() } = options;
    const deadline = `the deadline of ${plan.deadlineSeconds} s passed`;
    const rows = await withTimeout(plan.deadlineSeconds, deadline, options.signal, (signal) =>
        Promise.all(
            plan.probes.map(async (probe) => ({
                name: probe.name,
                ...(await carryOut(probe, { signal, secrets, handover, now, date })),
            })),
        ),
    );
    log(TITLE);
    for (const { name, healthy, words, milliseconds } of rows) {
        const time = milliseconds === undefined ? "" : ` in ${milliseconds} ms`;
        log(`${healthy ? "✓" : "✗"} ${name}: ${healthy ? "Healthy" : "Unhealthy"} (${words}${time})`);
    }
    log("=".repeat(TITLE.length));
    return rows;
}

/** The last line of a run, and whether all are healthy. */
export function healthVerdict(rows: readonly Row[]): { passed: boolean; line: string } {
    const unhealthy = rows.filter(({ healthy }) => !healthy);
    return unhealthy.length === 0
        ? { passed: true, line: `PASSED ${rows.length} of ${rows.length}: all are healthy.` }
        : {
              passed: false,
              line: `FAILED ${unhealthy.length} of ${rows.length}: ${unhealthy
                  .map(({ name, words }) => `${name} (${words})`)
                  .join(", ")}.`,
          };
}

/**
 * What CloudWatch gets of each row, and, if they were measured, the idle connections to PostgreSQL and the age of the oldest
 * credential.
 */
export function metricsOf(
    rows: readonly Row[],
    {
        idleConnections,
        credentialDays,
    }: { idleConnections?: number | undefined; credentialDays?: number | undefined },
): MetricDatum[] {
    const found = rows.flatMap(({ name: component, healthy, milliseconds, certificateDays }) => {
        const metric = (name: string, value: number | undefined, unit: MetricDatum["unit"]): MetricDatum[] =>
            value === undefined ? [] : [{ name, component, value, unit }];
        return [
            ...metric("Healthy", healthy ? 1 : 0, "None"),
            ...metric("LatencyMilliseconds", milliseconds, "Milliseconds"),
            ...metric("CertificateDays", certificateDays, "Count"),
        ];
    });
    const count = (name: string, component: string, value: number | undefined): MetricDatum[] =>
        value === undefined ? [] : [{ name, component, value, unit: "Count" }];
    return [
        ...found,
        ...count("IdleConnections", "PostgreSQL", idleConnections),
        ...count("CredentialDays", CREDENTIALS, credentialDays),
    ];
}

/** The count that the previous step left in the shared directory; undefined if it left none. */
function countIn(directory: string, file: string | undefined): number | undefined {
    if (file === undefined || !existsSync(join(directory, file))) return undefined;
    return Number(readFileSync(join(directory, file), "utf8"));
}

/** Parses a plan's file; throws an error with path, found and expected. */
export function parseHealthPlan(raw: unknown): HealthPlan {
    return parse(healthPlan, raw);
}

if (require.main === module) {
    void gateMain(parseHealthPlan, async (plan, context) => {
        const { SECRETS = "", HANDOVER = "" } = process.env;
        const rows = await runHealth(plan, { ...context, secrets: SECRETS, handover: HANDOVER });
        const { passed, line } = healthVerdict(rows);
        handOver(HANDOVER, {
            namespace: plan.namespace,
            metrics: metricsOf(rows, {
                idleConnections: countIn(HANDOVER, plan.idleConnections),
                credentialDays: oldestCredential(plan, new Date(), context.log),
            }),
            failure: passed ? undefined : line,
        });
        // The next step publishes the metrics first, and then fails for this one.
        return { passed: true, line };
    });
}
