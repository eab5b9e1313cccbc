import { z } from "zod";
import { parseSmokePlan, type SmokeRequest } from "../jobs/smoke";
import { type Colour, COLOURS, HEALTH_MATRIX } from "../core/numbers";
import { changeSchema } from "./checklist";
import { getOwn } from "../core/getOwn";
import { isInside, mebibytes, millicores } from "../core/quantities";
import {
    cidr,
    cpuQuantity,
    distinct,
    dnsLabel,
    durationUpTo,
    environmentName,
    httpPath,
    imageReference,
    memoryQuantity,
    percent,
    port,
    repository,
    someText,
    text,
    typedText,
    versionTag,
    wholeNumber,
} from "./scalars";
import { judgedByGate } from "./gateParser";
import { soakSchema } from "./soak";

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
        timeout: durationUpTo("5m").default(5),
        /** Attempts before the request counts as failed. Default: 5. */
        attempts: wholeNumber(1, 20).default(5),
        /** Blue-green: whether the soak gate sends it, too, every few seconds. False: it must not be repeated. Default: true. */
        soak: z.boolean({ error: "true or false" }).optional(),
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
    /** Whether the ingress controller, or the ALB, may call it. Default: false. */
    ingress: z.boolean({ error: "true or false" }).default(false),
    /** Other workloads of the stack it calls. Default: none. */
    calls: distinct(z.array(dnsLabel)).default([]),
    /** Addresses outside the namespace it may reach, beside the stores among its secrets. Default: none. */
    egress: z
        .array(
            z
                .strictObject({
                    cidr,
                    /** Ranges inside `cidr` that stay closed. Default: none. */
                    except: z.array(cidr).default([]),
                    ports: z.array(port).min(1, "at least one port"),
                })
                .superRefine(({ cidr: range, except }, context) => {
                    except.forEach((each, index) => {
                        if (!isInside(each, range)) {
                            const message = `a range inside ${range}, and smaller`;
                            context.addIssue({ code: "custom", path: ["except", index], message });
                        }
                    });
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
        .array(
            z
                .string()
                .regex(
                    /^arn:aws:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:[\w+=,.@:/!-]+(\/\*)?$/,
                    "an ARN, with at most a final /*",
                ),
        )
        .min(1, "at least one ARN"),
});

/** Concerns of the stack that a workload's secret can be the URL of. */
export const STORES = ["database", "cache"] as const;

const colour = z.enum(COLOURS, { error: "blue or green" });

/** What runs. */
const release = z.strictObject({
    /** Image tag; its digest is in `mcp:images.pins`. */
    version: versionTag,
    /** Environment of this release alone, over the workload's own. Default: nothing. */
    config: z.record(environmentName, typedText(z.string({ error: "a text" }))).default({}),
    /** Record of the change that brings it, kept in the ledger of releases. Default: none. Section 3.1. */
    change: changeSchema.optional(),
    /** Whether it changes the database: then a dump is taken before its pods start. Section 3.1. Default: false. */
    databaseChange: z.boolean({ error: "true or false" }).default(false),
});

/** One service of the platform. Sections 2.1, 3.2, 3.3 and 4.3.3. */
const workloadSchema = z.strictObject({
    /**
     * How a new version goes out. `rolling`: pods are replaced step by step. `blueGreen`: a second set of pods is
     * tested before traffic moves to it, and watched afterwards. Default: rolling.
     */
    strategy: z.enum(["rolling", "blueGreen"], { error: "rolling or blueGreen" }).default("rolling"),
    /** Image repository within `mcp:images.registry`. */
    image: repository,
    /** Rolling: what runs. Editing the version is the standard deployment. Section 3.2 step 1. */
    release: release.optional(),
    /** Blue-green: what each colour runs. */
    releases: z.strictObject({ blue: release.optional(), green: release.optional() }).optional(),
    /** Blue-green: the colour that has the traffic. Editing it is the release, and the rollback. Section 3.3. */
    live: colour.optional(),
    /** Blue-green: an idle colour to deploy and test without switching. Default: none. */
    stage: colour.optional(),
    /** Blue-green: `warm` keeps the idle colour's pods for an instant rollback. Default: cold, scaled to 0. */
    standby: z.enum(["cold", "warm"], { error: "cold or warm" }).default("cold"),
    soak: soakSchema.prefault({}),
    /** Port the container listens on. Default: the health matrix's, required for other workloads. */
    port: port.optional(),
    /** Paths of the probes and of the metrics. Default: the health matrix's, required for other workloads. */
    health: z.strictObject({ live: httpPath, ready: httpPath, metrics: httpPath.optional() }).optional(),
    scaling,
    resources,
    /** Environment of the container. Default: empty. */
    config: z.record(environmentName, typedText(z.string({ error: "a text" }))).default({}),
    /**
     * Secrets of the container, each mounted as a file that `<NAME>_FILE` names. `supplied` ones are in
     * `mcp:secrets`, `generated` ones are made by the stack and kept in its state, `database` and `cache` are the URLs
     * of the stack's own, which the pods may then reach in `mcp:kubernetes.vpc`. Default: none.
     */
    secrets: z
        .record(
            environmentName,
            z.enum(["supplied", "generated", ...STORES], {
                error: "supplied, generated, database or cache",
            }),
        )
        .default({}),
    /** Any new value replaces the pods one by one. Sections 4.3.2 step 4 and 4.3.3 step 5. Default: none. */
    restart: typedText(someText).optional(),
    /** Time a pod has to finish its requests before it is killed. Default: 30s. */
    gracePeriod: durationUpTo("1h").default(30),
    network: network.prefault({}),
    /** AWS rights of the pods. Default: none. */
    awsPermissions: z.array(awsPermission).default([]),
    /** What the smoke gate asks after each rollout. Default: both health paths must answer 200. */
    smoke: z
        .strictObject({
            requests: z.array(smokeRequest).min(1, "at least one request").optional(),
            /** Limit of the whole gate. Default: 2m. */
            deadline: durationUpTo("1h").default(120),
            /**
             * Image with tests of your own that runs beside the requests, finds the address in TARGET_URL and must exit 0.
             * Blue-green: before each switch, the way back included, because it knows no ledger. Default: none.
             */
            image: imageReference.optional(),
        })
        .superRefine(({ requests, deadline }, context) => {
            const plan = { subject: "workload", target: "http://workload:80", deadlineSeconds: deadline };
            requests?.forEach((request, index) => {
                judgedByGate(
                    () => parseSmokePlan({ ...plan, requests: [request] }),
                    (path) => {
                        const field = /^requests\[0\]\.(\w+)/.exec(path)?.[1];
                        return ["requests", index, ...(field === undefined ? [] : [field])];
                    },
                    context,
                );
            });
        })
        .prefault({}),
});

/**
 * Name of a workload, which is that of its Service: from a letter on. The longest name that is made of it is that of a
 * gate's Job, which is a label of its pods.
 */
const workloadName = text(
    /^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$/,
    "a name of at most 30 lower-case letters, digits and hyphens, from a letter on, such as mcp-server",
).refine((name) => !RESERVED.test(name), "another name: the stack has objects or alarms of this one");

/** Names of the stack's own objects, alarms and rows of the health check. */
const RESERVED =
    /^(mcp-(?!server$).*|(default|escalation|outside|snapshots|redis|maintenance)(-.*)?|allow-dns|postgresql|apim|azure-ad|jwks|login-certificate|database|pods|logs|audit-(writer|sender))$/;

/** What the names of a workload's own objects and alarms end in. */
const OWN_SUFFIXES = ["-gate", "-blue", "-green", "-ready"];

type ParsedWorkload = z.output<typeof workloadSchema>;
/** One release's values. */
export type ReleaseValues = z.output<typeof release>;

/** What every workload's values have; durations are in seconds, defaults come from the health matrix. */
interface CommonValues extends Omit<ParsedWorkload, "strategy" | "release" | "releases" | "live" | "stage"> {
    port: number;
    health: { live: string; ready: string; metrics: string };
    smoke: ParsedWorkload["smoke"] & { requests: SmokeRequest[] };
}

/** Values of a workload whose pods are replaced step by step. */
export interface RollingValues extends CommonValues {
    strategy: "rolling";
    release: ReleaseValues;
}

/** Values of a workload with two colours. */
export interface BlueGreenValues extends CommonValues {
    strategy: "blueGreen";
    releases: { [colour in Colour]?: ReleaseValues | undefined };
    live: Colour;
    stage?: Colour | undefined;
}

/** One workload's values. */
export type WorkloadValues = RollingValues | BlueGreenValues;

/** Image tags of every release of a workload. */
export function versionsOf(workload: {
    release?: { version: string } | undefined;
    releases?: { [colour in Colour]?: { version: string } | undefined } | undefined;
}): string[] {
    return [workload.release, ...COLOURS.map((side) => workload.releases?.[side])].flatMap((each) =>
        each === undefined ? [] : [each.version],
    );
}

/** All services, by name. */
export const workloadsSchema = z
    .record(workloadName, workloadSchema)
    .superRefine((workloads, context) => {
        for (const [name, workload] of Object.entries(workloads)) {
            const problem = (path: PropertyKey[], message: string) =>
                context.addIssue({ code: "custom", path: [name, ...path], message });
            const owner = OWN_SUFFIXES.map((suffix) =>
                name.endsWith(suffix) ? name.slice(0, -suffix.length) : "",
            ).find((other) => getOwn(workloads, other) !== undefined);
            if (owner !== undefined) {
                problem([], `another name: this one is that of an object of ${owner}`);
            }
            for (const key of ["port", "health"] as const) {
                if (workload[key] === undefined && getOwn(HEALTH_MATRIX, name) === undefined) {
                    problem(
                        [key],
                        `a value, because the health matrix of the runbook has no row for ${name}`,
                    );
                }
            }
            for (const variable of Object.keys(workload.secrets)) {
                if (getOwn(workload.config, `${variable}_FILE`) !== undefined) {
                    problem(
                        ["config", `${variable}_FILE`],
                        `nothing: it names the file of the secret ${variable}`,
                    );
                }
            }
            workload.network.calls.forEach((callee, index) => {
                if (getOwn(workloads, callee) === undefined) {
                    problem(["network", "calls", index], `one of ${Object.keys(workloads).join(", ")}`);
                }
            });
            if (workload.strategy === "rolling") {
                checkRolling(workload, problem);
            } else {
                checkBlueGreen(workload, problem);
            }
        }
    })
    .transform((workloads) =>
        Object.fromEntries(
            Object.entries(workloads).map(([name, workload]) => [name, completed(name, workload)]),
        ),
    );

type Report = (path: PropertyKey[], message: string) => void;

function checkRolling(workload: ParsedWorkload, problem: Report): void {
    if (workload.release === undefined) {
        problem(["release"], "an object, because the strategy is rolling");
    }
    for (const key of ["releases", "live", "stage"] as const) {
        if (workload[key] !== undefined) {
            problem([key], "nothing, because the strategy is rolling; blueGreen has it");
        }
    }
}

function checkBlueGreen({ release, releases, live, stage }: ParsedWorkload, problem: Report): void {
    if (release !== undefined) {
        problem(
            ["release"],
            "nothing, because the strategy is blueGreen; it has releases.blue and releases.green",
        );
    }
    if (live === undefined) {
        problem(["live"], "blue or green, because the strategy is blueGreen");
    } else if (releases?.[live] === undefined) {
        problem(["releases", live], `a release, because ${live} is live`);
    }
    if (stage !== undefined && stage === live) {
        problem(["stage"], "the idle colour, or nothing: this one is live");
    } else if (stage !== undefined && releases?.[stage] === undefined) {
        problem(["releases", stage], `a release, because ${stage} is staged`);
    }
}

/** Checked by then: what the strategy needs is there. */
function completed(
    name: string,
    { release, releases, live, stage, ...workload }: ParsedWorkload,
): WorkloadValues {
    const row = getOwn(HEALTH_MATRIX, name);
    const port = workload.port ?? row!.port;
    const { live: livePath, ready, metrics = "/metrics" } = workload.health ?? row!;
    const health = { live: livePath, ready, metrics };
    const requests =
        workload.smoke.requests ??
        [...new Set([health.live, health.ready])].map((path) => smokeRequest.parse({ path }));
    const common = { ...workload, port, health, smoke: { ...workload.smoke, requests } };
    return workload.strategy === "rolling"
        ? { ...common, strategy: "rolling", release: release! }
        : { ...common, strategy: "blueGreen", releases: releases!, live: live!, stage };
}
