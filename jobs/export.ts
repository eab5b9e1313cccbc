import { createHash } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { GateError, type GateContext, gateMain, type GateResult } from "./lib/gate";
import { withTimeout } from "./lib/http";
import { GROUPS, Kubernetes } from "./lib/kubernetes";
import * as z from "zod/mini";
import { parse, pattern, seconds, text } from "./lib/schema";

/**
 * Exported kinds: what people and programs declare, not what controllers create. No Secrets: the right to list them
 * includes their values. Section 7.1.
 */
export const EXPORTED = {
    configmaps: "ConfigMap",
    cronjobs: "CronJob",
    deployments: "Deployment",
    horizontalpodautoscalers: "HorizontalPodAutoscaler",
    ingresses: "Ingress",
    networkpolicies: "NetworkPolicy",
    poddisruptionbudgets: "PodDisruptionBudget",
    resourcequotas: "ResourceQuota",
    rolebindings: "RoleBinding",
    roles: "Role",
    serviceaccounts: "ServiceAccount",
    services: "Service",
} as const satisfies Partial<Record<keyof typeof GROUPS, string>>;

/** Inputs of the export. */
const exportPlan = z.strictObject({
    namespace: text,
    /** Name of the gzip file on the shared volume. */
    file: pattern(/^[\w-]+(\.[\w-]+)+$/, "the name of a file"),
    /** Deadline of the run in seconds, after which the export fails. */
    deadlineSeconds: seconds,
});

/** Inputs of the export. */
export type ExportPlan = z.infer<typeof exportPlan>;

/** Context of the export. */
export interface ExportOptions extends GateContext {
    /** The shared volume. */
    folder: string;
    /** Default: the pod's ServiceAccount. */
    cluster?: Kubernetes;
}

type Json = Record<string, unknown>;

interface Exported extends Json {
    metadata: Json & { name: string; annotations?: Record<string, string> };
}

/** Metadata that a server adds, and another server would add again. */
const SERVER_METADATA = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/** Annotations of the same kind. */
const SERVER_ANNOTATIONS = [
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
];

/**
 * Writes the objects of a namespace into one file for `kubectl apply`, deterministically, with its SHA-256. The file
 * appears complete or not at all. Never rejects: an error is its verdict.
 */
export async function runExport(
    { namespace, file, deadlineSeconds }: ExportPlan,
    { folder, log, signal, ...options }: ExportOptions,
): Promise<GateResult> {
    const path = join(folder, file);
    const partial = `${path}.partial`;
    try {
        const cluster = options.cluster ?? Kubernetes.ofThisPod({ namespace, log });
        const deadline = `the deadline of ${deadlineSeconds} s passed`;
        const items = await withTimeout(deadlineSeconds, deadline, signal, (run) =>
            objectsOf(cluster, run, log),
        );
        const list = sorted({ apiVersion: "v1", kind: "List", items });
        const content = gzipSync(`${JSON.stringify(list, undefined, 2)}\n`);
        writeFileSync(partial, content, { mode: 0o600 });
        const sha256 = createHash("sha256").update(content).digest("hex");
        writeFileSync(`${path}.sha256`, `${sha256}  ${file}\n`, { mode: 0o600 });
        renameSync(partial, path);
        return {
            passed: true,
            line: `EXPORTED ${namespace}: ${items.length} objects in ${content.length} bytes, sha256 ${sha256}.`,
        };
    } catch (error) {
        for (const half of [partial, `${path}.sha256`]) {
            rmSync(half, { force: true });
        }
        const { message, stack, code } = error as NodeJS.ErrnoException;
        // Any other error is a fault of this program, and keeps its stack trace.
        if (!(error instanceof GateError) && code === undefined) log(stack ?? message);
        return { passed: false, line: `FAILED ${namespace}: ${message.replace(/\.$/, "")}.` };
    }
}

async function objectsOf(
    cluster: Kubernetes,
    signal: AbortSignal,
    log: GateContext["log"],
): Promise<Exported[]> {
    const objects: Exported[] = [];
    for (const resource of Object.keys(EXPORTED) as (keyof typeof EXPORTED)[]) {
        const found = await cluster.list<Exported>(resource, {}, signal);
        log(`  ${resource}: ${found.length}`);
        if (resource === "deployments" && found.length === 0) {
            throw new GateError("no Deployment was found, and without one there is no platform to save");
        }
        const apiVersion = GROUPS[resource].replace(/^\/apis?\//, "");
        objects.push(
            ...found
                .map((object) => ({ apiVersion, kind: EXPORTED[resource], ...declared(object) }))
                .sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1)),
        );
    }
    return objects;
}

/** An object without the server's fields. */
function declared(object: Exported): Exported {
    const { name, annotations: all = {} } = object.metadata;
    const annotations = without(all, SERVER_ANNOTATIONS);
    return {
        ...without(object, ["status"]),
        metadata: {
            ...without(object.metadata, [...SERVER_METADATA, "annotations"]),
            name,
            ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
        },
    };
}

function without<T>(object: Record<string, T>, keys: readonly string[]): Record<string, T> {
    return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** With sorted keys: servers return them in any order. */
function sorted(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(sorted);
    }
    return typeof value === "object" && value !== null
        ? Object.fromEntries(
              Object.entries(value)
                  .sort(([one], [other]) => (one < other ? -1 : 1))
                  .map(([key, inner]) => [key, sorted(inner)]),
          )
        : value;
}

/** Parses a plan's file; throws an error with path, found and expected. */
export function parseExportPlan(raw: unknown): ExportPlan {
    return parse(exportPlan, raw);
}

if (require.main === module) {
    void gateMain(parseExportPlan, (plan, context) =>
        runExport(plan, { ...context, folder: process.env["SCRATCH"]! }),
    );
}
