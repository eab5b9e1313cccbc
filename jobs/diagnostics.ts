import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GateError, type GateContext, gateMain, type GateResult } from "./lib/gate";
import { reasonOf, withTimeout } from "./lib/http";
import { type Autoscaler, Kubernetes, type PodUsage } from "./lib/kubernetes";
import { parseSamples } from "./lib/metrics";
import { askPod, runningPods } from "./lib/pods";
import { carryOut, probes, secretFiles } from "./lib/probes";
import { Redis } from "./lib/redis";
import * as z from "zod/mini";
import { httpPath, parse, port, seconds, text } from "./lib/schema";

/** What to diagnose. Sections 4.3 and 6.3. */
const diagnosticsPlan = z.strictObject({
    namespace: text,
    /** Label `app` of the pods, and their port. */
    app: text,
    port,
    /** Paths of their metrics and of their Azure AD keys. */
    metrics: httpPath,
    jwksStatus: httpPath,
    /** External dependencies. */
    probes,
    /** Folder of Redis among the task's secrets. Default: no Redis. */
    cache: z.optional(text),
    /** Deadline of the run, in seconds. */
    deadlineSeconds: seconds,
});

/** What to diagnose. Sections 4.3 and 6.3. */
export type DiagnosticsPlan = z.infer<typeof diagnosticsPlan>;

/** Context of a run. */
export interface DiagnosticsOptions extends GateContext {
    /** Folder of the task's secrets. */
    secrets: string;
    /** Directory shared by the steps of the run. */
    handover: string;
    /** Default: the pod's ServiceAccount. */
    cluster?: Kubernetes;
}

/** Maximum lines of a pod's log to search. Section 4.3.1 step 1. */
const LOG_LINES = 100;

/** Patterns of the runbook's grep in the metrics. Sections 4.3.1 step 4, 4.3.2 step 2 and 6.3. */
const METRICS = /circuit_breaker|db_pool|request_duration|requests_total|error/;

/** Collects all diagnostics, even if some fail, without judging. Never rejects. */
export async function runDiagnostics(
    plan: DiagnosticsPlan,
    options: DiagnosticsOptions,
): Promise<GateResult> {
    const { log } = options;
    const deadline = `the deadline of ${plan.deadlineSeconds} s passed`;
    const unseen = existsSync(join(options.handover, "failed"))
        ? [readFileSync(join(options.handover, "failed"), "utf8").trim()]
        : [];
    await withTimeout(plan.deadlineSeconds, deadline, options.signal, async (signal) => {
        const look = async (title: string, lines: () => Promise<string[]>) => {
            log(`=== ${title} ===`);
            try {
                const found = await lines();
                for (const line of found.length === 0 ? ["none"] : found) log(`  ${line}`);
            } catch (error) {
                if (!(error instanceof GateError)) throw error;
                log(`  ✗ ${signal.aborted ? reasonOf(signal) : error.message}`);
                unseen.push(title);
            }
        };
        const { namespace, app } = plan;
        let known: Kubernetes | undefined = options.cluster;
        const cluster = () => (known ??= Kubernetes.ofThisPod({ namespace, log }));
        const eachPod = async (read: (pod: { name: string; ip: string }) => Promise<string[]>) => {
            const pods = await runningPods(cluster(), app, signal);
            const found = await Promise.all(
                pods.map(async (pod) => (await read(pod)).map((line) => `${pod.name}: ${line}`)),
            );
            return found.flat();
        };
        const page = async (pod: { name: string; ip: string }, path: string) => {
            const { body, error: error } = await askPod(pod, { port: plan.port, path }, signal);
            if (error !== undefined) throw new GateError(`${pod.name}: ${error}`);
            return body;
        };
        const matching = (form: RegExp) =>
            eachPod(async ({ name }) =>
                (await cluster().logs(name, LOG_LINES, signal)).split("\n").filter((line) => form.test(line)),
            );

        await look(`Error lines of the last ${LOG_LINES} of each pod (4.3.1)`, () => matching(/ERROR/));
        await look("Lines about memory (4.3.3)", () => matching(/memory/i));
        await look("Pods by memory, with CPU (4.3.3)", async () =>
            usage(await cluster().list("podmetrics", {}, signal)),
        );
        await look("Autoscalers (4.3.3)", async () =>
            (await cluster().list<Autoscaler>("horizontalpodautoscalers", {}, signal)).map(scaling),
        );
        await look("Circuit breaker, pool, requests and errors of each pod (4.3.1, 4.3.2, 6.3)", () =>
            eachPod(async (pod) =>
                parseSamples(await page(pod, plan.metrics))
                    // Omits a histogram's buckets; its sum and count are enough.
                    .filter(({ name }) => METRICS.test(name) && !name.endsWith("_bucket"))
                    .map(({ name, labels, value }) => `${name}${labelsOf(labels)} ${value}`),
            ),
        );
        await look("JWKS cache of each pod (4.3.4)", () =>
            eachPod(async (pod) => [(await page(pod, plan.jwksStatus)).replace(/\s+/g, " ").trim()]),
        );
        for (const probe of plan.probes) {
            await look(`${probe.name} (4.3.1, 4.3.4, 6.3)`, async () => {
                const surroundings = { now: () => performance.now(), date: () => new Date() };
                const { healthy, words, milliseconds } = await carryOut(probe, {
                    ...surroundings,
                    signal,
                    secrets: options.secrets,
                    handover: options.handover,
                });
                return [
                    `${healthy ? "✓" : "✗"} ${words}${milliseconds === undefined ? "" : ` in ${milliseconds} ms`}`,
                ];
            });
        }
        const folder = plan.cache;
        if (folder !== undefined) {
            await look("Redis memory (6.3)", () => redisMemory(join(options.secrets, folder), signal));
        }
    });
    return unseen.length === 0
        ? { passed: true, line: "PASSED everything was looked at." }
        : { passed: false, line: `FAILED not looked at: ${unseen.join("; ")}.` };
}

/** CPU in thousandths of a core and memory in MiB, sorted by memory. */
function usage(pods: readonly PodUsage[]): string[] {
    return pods
        .map(({ metadata: { name }, containers }) => ({
            name,
            cpu: sum(containers.map(({ usage }) => quantity(usage.cpu) * 1000)),
            memory: sum(containers.map(({ usage }) => quantity(usage.memory) / 1024 ** 2)),
        }))
        .sort((one, other) => other.memory - one.memory)
        .map(({ name, cpu, memory }) => `${name}: ${Math.round(memory)} Mi, ${Math.round(cpu)} m`);
}

const UNITS: Readonly<Record<string, number>> = {
    n: 1e-9,
    u: 1e-6,
    m: 1e-3,
    "": 1,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    Ki: 1024,
    Mi: 1024 ** 2,
    Gi: 1024 ** 3,
};

/** A Kubernetes quantity as a number. */
function quantity(text: string): number {
    const [, digits, unit] = /^([\d.]+)(\w*)$/.exec(text) ?? [];
    return Number(digits) * (UNITS[unit ?? ""] ?? NaN);
}

function sum(values: readonly number[]): number {
    return values.reduce((total, value) => total + value, 0);
}

function scaling({ metadata, spec, status }: Autoscaler): string {
    const { minReplicas = 1, maxReplicas, metrics = [] } = spec;
    const found = metrics.flatMap(({ resource }) => {
        if (resource === undefined) return [];
        const current = status?.currentMetrics?.find((each) => each.resource?.name === resource.name);
        const now = current?.resource?.current.averageUtilization;
        return [`${resource.name} ${now ?? "unknown"} of ${resource.target.averageUtilization} %`];
    });
    const replicas = `${status?.currentReplicas ?? 0} of ${minReplicas} to ${maxReplicas} replicas`;
    return [`${metadata.name}: ${replicas}`, ...found].join(", ");
}

function labelsOf(labels: Record<string, string>): string {
    const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
    return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

async function redisMemory(folder: string, signal: AbortSignal): Promise<string[]> {
    const file = secretFiles(folder);
    const target = { host: file("host"), port: Number(file("port")), password: file("password") };
    const redis = await Redis.connect(target, signal);
    try {
        return String(await redis.command("INFO", "memory"))
            .split("\r\n")
            .filter((line) => line !== "" && !line.startsWith("#"));
    } finally {
        redis.close();
    }
}

/** Parses a plan's file; throws an error with path, found and expected. */
export function parseDiagnosticsPlan(raw: unknown): DiagnosticsPlan {
    return parse(diagnosticsPlan, raw);
}

if (require.main === module) {
    void gateMain(parseDiagnosticsPlan, (plan, context) => {
        const { SECRETS: secrets = "", HANDOVER: handover = "" } = process.env;
        return runDiagnostics(plan, { ...context, secrets, handover });
    });
}
