import { z } from "zod";
import { parseSmokePlan, type SmokeRequest } from "../jobs/release/smokeRequests";
import { type Colour, COLOURS, HEALTH_MATRIX } from "../core/numbers";
import { changeSchema } from "./checklist";
import { isCredentialHeader, masked, secretIn } from "../core/credentials";
import { getOwn } from "../core/getOwn";
import { isInside, mebibytes, millicores } from "../core/quantities";
import {
    cidr,
    cpuQuantity,
    distinct,
    dnsLabel,
    durationUpTo,
    environmentName,
    environmentValue,
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

const NO_CREDENTIAL =
    "nothing with a credential: the stack file, the cluster and the gate's log have it in plain text. Use smoke.image, " +
    "or a path that needs none";

/** A request of the smoke gate and the expected response. Section 3.2 steps 4 and 5. */
const smokeRequest = z
    .strictObject({
        /** Name in the gate's log. Default: method and path. */
        name: someText.optional(),
        /** Default: GET. */
        method: z
            .enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], { error: "an HTTP method" })
            .default("GET"),
        path: httpPath,
        /** Request headers. They are plain text in the stack file and the cluster: never tokens. Default: none. */
        headers: z.record(z.string(), z.string({ error: "a text" })).default({}),
        body: z.string({ error: "a text" }).optional(),
        /** Timeout of one attempt. Default: 5s. */
        timeout: durationUpTo("5m").default(5),
        /** Attempts before the request counts as failed. Default: 5. */
        attempts: wholeNumber(1, 20).default(5),
        /**
         * Blue-green: whether the soak gate repeats it every few seconds. Set it to false if it must not be repeated.
         * Default: true.
         */
        soak: z.boolean({ error: "true or false" }).optional(),
        expect: z
            .strictObject({
                /** Default: 200. */
                status: wholeNumber(100, 599).default(200),
                /** Header name to a text that its value must contain. */
                headers: z.record(z.string(), z.string({ error: "a text" })).optional(),
                /** Text that the body must contain. */
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

/** Paths of what carries a credential in a request. */
function credentialsOf({ headers, body = "", path }: SmokeRequest): string[][] {
    return [
        ...Object.entries(headers ?? {})
            .filter(([name, value]) => isCredentialHeader(name) || secretIn(name, value) !== undefined)
            .map(([name]) => ["headers", name]),
        ...(masked("", body) === body ? [] : [["body"]]),
        ...(masked("", path) === path ? [] : [["path"]]),
    ];
}

/** Bounds of the horizontal autoscaler. Section 4.3.3 steps 3 and 4. */
const scaling = z
    .strictObject({
        /** Minimum replicas. Raising it is the runbook's manual scale-up. */
        min: wholeNumber(1, 100),
        /** Maximum replicas. */
        max: wholeNumber(1, 100),
        /** Average CPU in percent of the request, above which the autoscaler adds replicas. Default: 70. */
        cpu: percent.default(70),
        /** The same for memory. Default: not used. */
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

/** Requests are reserved by the scheduler; limits are enforced by the kernel. */
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

/** Allowed connections to and from the workload; all others are denied. */
const network = z.strictObject({
    /** Whether the ingress controller, or the ALB, may call it. Default: false. */
    ingress: z.boolean({ error: "true or false" }).default(false),
    /** Other workloads of the stack that it calls. Default: none. */
    calls: distinct(z.array(dnsLabel)).default([]),
    /** Addresses outside the namespace that it may call, in addition to the stores among its secrets. Default: none. */
    egress: z
        .array(
            z
                .strictObject({
                    cidr,
                    /** Ranges inside `cidr` that stay denied. Default: none. */
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

/** AWS rights of the pods, granted through EKS Pod Identity. */
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

/** Concerns of the stack whose URL a workload can take as a secret. */
export const STORES = ["database", "cache"] as const;

const colour = z.enum(COLOURS, { error: "blue or green" });

/** One release of a workload. */
const release = z.strictObject({
    /** Image tag. `mcp:images.pins` has its digest. */
    version: versionTag,
    /** Environment of this release, merged over the workload's. Default: none. */
    config: z.record(environmentName, environmentValue).default({}),
    /** Change record of the release, stored in the release history. Default: none. Section 3.1. */
    change: changeSchema.optional(),
    /** Whether it migrates the database: then a dump is taken before its pods start. Default: false. Section 3.1. */
    databaseChange: z.boolean({ error: "true or false" }).default(false),
});

/** One service of the platform. Sections 2.1, 3.2, 3.3 and 4.3.3. */
const workloadSchema = z.strictObject({
    /**
     * How a new version is deployed. `rolling`: pods are replaced step by step. `blueGreen`: a second set of pods is
     * tested before the switch, and measured afterwards. Default: rolling.
     */
    strategy: z.enum(["rolling", "blueGreen"], { error: "rolling or blueGreen" }).default("rolling"),
    /** Image repository within `mcp:images.registry`. */
    image: repository,
    /** Rolling: the release. Editing the version is the standard deployment. Section 3.2 step 1. */
    release: release.optional(),
    /** Blue-green: the release of each colour. */
    releases: z.strictObject({ blue: release.optional(), green: release.optional() }).optional(),
    /** Blue-green: the active colour. Editing it is the release, and the rollback. Section 3.3. */
    live: colour.optional(),
    /** Blue-green: an idle colour to deploy and test without a switch. Default: none. */
    stage: colour.optional(),
    /**
     * Blue-green: `warm` keeps the idle colour's pods for an instant rollback; `cold` scales them to 0. Default: cold.
     */
    standby: z.enum(["cold", "warm"], { error: "cold or warm" }).default("cold"),
    soak: soakSchema.prefault({}),
    /** Port of the container. Default: the health matrix's; required for other workloads. */
    port: port.optional(),
    /** Paths of probes and metrics. Default: the health matrix's; required for other workloads. */
    health: z.strictObject({ live: httpPath, ready: httpPath, metrics: httpPath.optional() }).optional(),
    scaling,
    resources,
    /** Environment of the container. Default: empty. */
    config: z.record(environmentName, environmentValue).default({}),
    /**
     * Secrets of the container, each mounted as a file that `<NAME>_FILE` names. `supplied`: the value is in
     * `mcp:secrets`. `generated`: the stack generates it and keeps it in its state. `database`, `cache`: the URL of the
     * stack's own store, which the pods may then call in `mcp:kubernetes.vpc`. Default: none.
     */
    secrets: z
        .record(
            environmentName,
            z.enum(["supplied", "generated", ...STORES], {
                error: "supplied, generated, database or cache",
            }),
        )
        .default({}),
    /** Any new value restarts the pods one by one. Sections 4.3.2 step 4 and 4.3.3 step 5. Default: none. */
    restart: typedText(someText).optional(),
    /** Time for a pod to finish its requests before it is killed. Default: 30s. */
    gracePeriod: durationUpTo("1h").default(30),
    network: network.prefault({}),
    /** AWS rights of the pods. Default: none. */
    awsPermissions: z.array(awsPermission).default([]),
    /** Requests of the smoke gate after each rollout. Default: both health paths must answer 200. */
    smoke: z
        .strictObject({
            requests: z.array(smokeRequest).min(1, "at least one request").optional(),
            /** Deadline of the whole gate. Default: 2m. */
            deadline: durationUpTo("1h").default(120),
            /**
             * Image with your own tests. It runs at the same time as the requests, gets the address in TARGET_URL and
             * must exit 0. Blue-green: it runs before each switch, including a rollback, because it does not read the
             * release history. Default: none.
             */
            image: imageReference.optional(),
        })
        .superRefine(({ requests, deadline }, context) => {
            const plan = { subject: "workload", target: "http://workload:80", deadlineSeconds: deadline };
            requests?.forEach((request, index) => {
                for (const path of credentialsOf(request)) {
                    const at = ["requests", index, ...path];
                    context.addIssue({ code: "custom", path: at, message: NO_CREDENTIAL });
                }
                if (request.timeoutSeconds > deadline) {
                    const message = `at most smoke.deadline, ${deadline}s`;
                    context.addIssue({ code: "custom", path: ["requests", index, "timeout"], message });
                }
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
 * Name of a workload and its Service. The limit keeps the longest derived name, that of a gate's Job, within 63
 * characters, because it is a label.
 */
const workloadName = text(
    /^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$/,
    "a name of at most 30 lower-case letters, digits and hyphens, starting with a letter, such as mcp-server",
).refine((name) => !RESERVED.test(name), "another name: objects or alarms of the stack have this one");

/** Names of the stack's own objects, alarms and rows of the health check. */
const RESERVED =
    /^(mcp-(?!server$).*|(default|escalation|outside|snapshots|redis|maintenance)(-.*)?|allow-dns|postgresql|apim|azure-ad|jwks|login-certificate|database|pods|logs|audit-(writer|sender))$/;

/** Suffixes of the names of a workload's objects and alarms. */
const OWN_SUFFIXES = ["-gate", "-blue", "-green", "-ready"];

type ParsedWorkload = z.output<typeof workloadSchema>;
/** Values of one release. */
export type ReleaseValues = z.output<typeof release>;

/** Values common to all workloads. Durations are in seconds, defaults come from the health matrix. */
interface CommonValues extends Omit<ParsedWorkload, "strategy" | "release" | "releases" | "live" | "stage"> {
    port: number;
    health: { live: string; ready: string; metrics: string };
    smoke: ParsedWorkload["smoke"] & { requests: SmokeRequest[] };
}

/** Values of a rolling workload. */
export interface RollingValues extends CommonValues {
    strategy: "rolling";
    release: ReleaseValues;
}

/** Values of a blue-green workload. */
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
                problem([], `another name: an object of ${owner} has this one`);
            }
            for (const key of ["port", "health"] as const) {
                if (workload[key] === undefined && getOwn(HEALTH_MATRIX, name) === undefined) {
                    problem([key], `a value, because the runbook's health matrix has no row for ${name}`);
                }
            }
            for (const variable of Object.keys(workload.secrets)) {
                if (getOwn(workload.config, `${variable}_FILE`) !== undefined) {
                    problem(
                        ["config", `${variable}_FILE`],
                        `nothing: the program sets it to the file of the secret ${variable}`,
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
            problem([key], "nothing, because the strategy is rolling; only blueGreen has it");
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
        problem(["stage"], "the idle colour, or nothing: this colour is live");
    } else if (stage !== undefined && releases?.[stage] === undefined) {
        problem(["releases", stage], `a release, because ${stage} is staged`);
    }
}

/** The checks above ensure that the strategy's values exist. */
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
