import { z } from "zod";
import { type SmokeRequest } from "../jobs/smoke";
import { HEALTH_MATRIX } from "../runbook/numbers";
import {
    cidr,
    cpuQuantity,
    dnsLabel,
    duration,
    environmentName,
    httpPath,
    imageReference,
    mebibytes,
    memoryQuantity,
    millicores,
    percent,
    port,
    repository,
    someText,
    typedText,
    versionTag,
    wholeNumber,
} from "./scalars";

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], {
    error: "a text, number, true, false or null",
});

/** One request of the smoke gate and what its answer must look like. Section 3.2 steps 4 and 5. */
const smokeRequest = z
    .strictObject({
        /** Shown in the gate's lines. Default: method and path. */
        name: someText.optional(),
        /** Default: GET. */
        method: z
            .enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], { error: "an HTTP method" })
            .default("GET"),
        path: httpPath,
        /** Headers sent. Plain in the stack file and the cluster: no tokens here. Default: none. */
        headers: z.record(z.string(), z.string({ error: "a text" })).default({}),
        body: z.string({ error: "a text" }).optional(),
        /** Limit of one attempt. Default: 5s. */
        timeout: duration.default(5),
        /** Attempts before the request counts as failed. Default: 5. */
        attempts: wholeNumber(1, 20).default(5),
        expect: z
            .strictObject({
                /** Default: 200. */
                status: wholeNumber(100, 599).default(200),
                /** Header name to a text its value must contain. */
                headers: z.record(z.string(), z.string({ error: "a text" })).optional(),
                /** Text the body must contain. */
                bodyContains: someText.optional(),
                /** Dotted path into a JSON body to the exact value expected there. */
                json: z.record(z.string(), scalar).optional(),
            })
            .prefault({}),
    })
    .transform(({ name, timeout, ...request }): SmokeRequest => ({
        name: name ?? `${request.method} ${request.path}`,
        timeoutSeconds: timeout,
        ...request,
    }));

/** Bounds of the horizontal autoscaler. Section 4.3.3 steps 3 and 4. */
const scaling = z
    .strictObject({
        /** Fewest replicas; raising it is the runbook's manual scale-up. */
        min: wholeNumber(1, 100),
        /** Most replicas. */
        max: wholeNumber(1, 100),
        /** Average CPU, in percent of the request, above which replicas are added. Default: 70. */
        cpu: percent.default(70),
        /** The same for memory. Default: not watched. */
        memory: percent.optional(),
    })
    .superRefine((value, context) => {
        if (value.max < value.min) {
            context.addIssue({
                code: "custom",
                path: ["max"],
                message: `at least scaling.min (${value.min})`,
            });
        }
    });

/** Requests are what the scheduler reserves, limits where the kernel steps in. */
const resources = z
    .strictObject({
        cpu: z.strictObject({ request: cpuQuantity, limit: cpuQuantity }),
        memory: z.strictObject({ request: memoryQuantity, limit: memoryQuantity }),
    })
    .superRefine(({ cpu, memory }, context) => {
        if (millicores(cpu.limit) < millicores(cpu.request)) {
            context.addIssue({ code: "custom", path: ["cpu", "limit"], message: `at least ${cpu.request}` });
        }
        if (mebibytes(memory.limit) < mebibytes(memory.request)) {
            context.addIssue({
                code: "custom",
                path: ["memory", "limit"],
                message: `at least ${memory.request}`,
            });
        }
    });

/** Who may reach the workload, and what it may reach; everything else is denied. */
const network = z.strictObject({
    /** Whether the ingress controller may call it. Default: false. */
    ingress: z.boolean({ error: "true or false" }).default(false),
    /** Other workloads of the stack it calls. Default: none. */
    calls: z.array(dnsLabel).default([]),
    /** Addresses outside the namespace it may reach. Default: none. */
    egress: z
        .array(
            z.strictObject({
                cidr,
                /** Ranges inside `cidr` that stay closed. Default: none. */
                except: z.array(cidr).default([]),
                ports: z.array(port).min(1, "at least one port"),
            }),
        )
        .default([]),
});

/** Exact AWS rights of the pods, given through EKS Pod Identity. */
const awsPermission = z.strictObject({
    actions: z
        .array(z.string().regex(/^[a-z0-9-]+:[A-Za-z0-9]+$/, "one exact action, such as s3:GetObject"))
        .min(1, "at least one action"),
    resources: z
        .array(z.string().regex(/^arn:[^*]+(\/\*)?$/, "an ARN, with at most a final /*"))
        .min(1, "at least one ARN"),
});

/** One service of the platform. Sections 2.1, 3.2 and 4.3.3. */
export const workloadSchema = z.strictObject({
    /** How a new version goes out. `rolling`: pods are replaced step by step. Default: rolling. */
    strategy: z.enum(["rolling"], { error: "rolling" }).default("rolling"),
    /** Image repository within `mcp:images.registry`. */
    image: repository,
    /** What runs: editing the version is the standard deployment. Section 3.2 step 1. */
    release: z.strictObject({
        /** Image tag; its digest stands in `mcp:images.pins`. */
        version: versionTag,
    }),
    /** Port the container listens on. Default: the health matrix's, required for other workloads. */
    port: port.optional(),
    /** Paths of the probes. Default: the health matrix's, required for other workloads. */
    health: z.strictObject({ live: httpPath, ready: httpPath }).optional(),
    scaling,
    resources,
    /** Environment of the container. Default: empty. */
    config: z.record(environmentName, typedText(z.string({ error: "a text" }))).default({}),
    /**
     * Secrets of the container, each mounted as a file that `<NAME>_FILE` names. `supplied` ones stand in
     * `mcp:secrets`, `generated` ones are made by the stack and kept in its state. Default: none.
     */
    secrets: z
        .record(environmentName, z.enum(["supplied", "generated"], { error: "supplied or generated" }))
        .default({}),
    /** Any new value replaces the pods one by one. Sections 4.3.2 step 4 and 4.3.3 step 5. Default: none. */
    restart: typedText(someText).optional(),
    /** Time a pod has to finish its requests before it is killed. Default: 30s. */
    gracePeriod: duration.default(30),
    network: network.prefault({}),
    /** AWS rights of the pods. Default: none. */
    awsPermissions: z.array(awsPermission).default([]),
    /** What the smoke gate asks after each rollout. Default: both health paths must answer 200. */
    smoke: z
        .strictObject({
            requests: z.array(smokeRequest).min(1, "at least one request").optional(),
            /** Limit of the whole gate. Default: 2m. */
            deadline: duration.default(120),
            /** Image with tests of your own that runs beside the requests and must exit 0. Default: none. */
            image: imageReference.optional(),
        })
        .prefault({}),
});

type ParsedWorkload = z.output<typeof workloadSchema>;

/** One workload's values, defaults filled in from the health matrix; durations are in seconds. */
export interface WorkloadValues extends ParsedWorkload {
    port: number;
    health: { live: string; ready: string };
    smoke: ParsedWorkload["smoke"] & { requests: SmokeRequest[] };
}

/** All services, by name. */
export const workloadsSchema = z
    .record(dnsLabel, workloadSchema)
    .superRefine((workloads, context) => {
        for (const [name, workload] of Object.entries(workloads)) {
            for (const key of ["port", "health"] as const) {
                if (workload[key] === undefined && HEALTH_MATRIX[name] === undefined) {
                    context.addIssue({
                        code: "custom",
                        path: [name, key],
                        message: `a value, because the health matrix of the runbook has no row for ${name}`,
                    });
                }
            }
            workload.network.calls.forEach((callee, index) => {
                if (workloads[callee] === undefined) {
                    context.addIssue({
                        code: "custom",
                        path: [name, "network", "calls", index],
                        message: `one of ${Object.keys(workloads).join(", ")}`,
                    });
                }
            });
        }
    })
    .transform((workloads) =>
        Object.fromEntries(
            Object.entries(workloads).map(([name, workload]) => [name, withHealth(name, workload)]),
        ),
    );

function withHealth(name: string, workload: ParsedWorkload): WorkloadValues {
    const row = HEALTH_MATRIX[name];
    const port = workload.port ?? row!.port;
    const health = workload.health ?? { live: row!.live, ready: row!.ready };
    const requests =
        workload.smoke.requests ??
        [...new Set([health.live, health.ready])].map((path) => smokeRequest.parse({ path }));
    return { ...workload, port, health, smoke: { ...workload.smoke, requests } };
}
