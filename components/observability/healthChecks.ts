import { type HealthCheck } from "@pulumi/aws/route53/healthCheck";
import {
    all,
    ComponentResource,
    type ComponentResourceOptions,
    type Input,
    interpolate,
} from "@pulumi/pulumi";
import { type HealthPlan } from "../../jobs/health";
import { type Probe } from "../../jobs/lib/probes";
import { POSTGRES_READY } from "../../jobs/lib/sharedVolume";
import { CACHE, DATABASE } from "../../core/numbers";
import { asApplication, type Connection } from "../data/connection";
import { metricsPermission } from "../identity/podIdentity";
import { namespaceEgress } from "../platform/namespace";
import { declareTaskAccess, egressToPods } from "../tasks/access";
import {
    declareScheduledTask,
    declareTask,
    type MountedKeys,
    program,
    script,
    type TaskArgs,
    type TaskStep,
    taskPods,
} from "../tasks/task";

/** Every two minutes: the alarm looks at five minutes, which contain two runs. */
const SCHEDULE = "*/2 * * * *";

/** File in which a step passes the number of idle database connections to the next. */
const IDLE_CONNECTIONS = "idle-connections";

/** Deadline of one run, in seconds. Including the start, it ends before the next one. */
const DEADLINE_SECONDS = 60;

/** Stores in the matrix, by kind. */
export interface Stores {
    database?: Connection | undefined;
    cache?: Connection | undefined;
}

/** Arguments of {@link HealthChecks}. */
export interface HealthChecksArgs {
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Name of the EKS cluster. */
    cluster: string;
    region: string;
    /** CloudWatch namespace of the metrics. */
    metricNamespace: string;
    /** Targets of the check. */
    probes: readonly Probe[];
    /**
     * Targets that are also checked from outside: their Route 53 health checks, by the file with the result for the
     * probe.
     */
    outside: Readonly<Record<string, HealthCheck>>;
    /** Names and ports of the services among the targets. */
    services: readonly { app: string; port: number }[];
    stores: Stores;
    /** Credentials whose age is measured, and the age at which an alarm asks for a rotation, in days. Default: none. */
    credentials?: { maxAge: number; all: { name: string; made: string }[] } | undefined;
    /** Range of the network that contains the stores. */
    network: string;
    /** Namespace of the ingress controller of the stack's hosts. Default: an ALB serves them. */
    ingressNamespace?: string | undefined;
    /** Ports of TLS targets, if they differ from 443. */
    ports: readonly number[];
    /** Images of the steps, pinned. */
    images: { node: string; aws: string; postgres: string | undefined };
    /** Names a run on demand, which the update waits for: the ticket. Default: none. */
    run?: string | undefined;
}

/** Maximum number of pods at the same time: the scheduled check, and one on demand. */
export const HEALTH_PODS = taskPods(2);

/**
 * Runs the health check matrix (section 2.1) and checks the external dependencies every two minutes. The Job's log has
 * a line for each target (section 2.2). CloudWatch has `Healthy`, `LatencyMilliseconds`, `CertificateDays` and
 * `IdleConnections` by `Component`. The Job fails if a target is unhealthy, after it published the metrics.
 */
export class HealthChecks extends ComponentResource {
    constructor(name: string, args: HealthChecksArgs, opts?: ComponentResourceOptions) {
        super("mcp:observability:HealthChecks", name, {}, opts);
        const { namespace, labels, region, stores, credentials, images, run } = args;

        const outside = Object.entries(args.outside).map(([file, check]) => ({ file, check }));
        const access = declareTaskAccess(
            name,
            {
                namespace,
                labels,
                egress: [
                    ...args.services.map(egressToPods),
                    ...storesEgress(stores, args.network),
                    // Any address: APIM, Azure AD and CloudWatch change theirs.
                    { ports: [...new Set([443, ...args.ports])].map((port) => ({ protocol: "TCP", port })) },
                    ...(args.ingressNamespace === undefined ? [] : [namespaceEgress(args.ingressNamespace)]),
                ],
                aws: {
                    cluster: args.cluster,
                    permissions: [
                        metricsPermission(args.metricNamespace),
                        ...(outside.length === 0
                            ? []
                            : [
                                  {
                                      actions: ["route53:GetHealthCheckStatus"],
                                      resources: outside.map(({ check }) => check.arn),
                                  },
                              ]),
                    ],
                },
            },
            this,
        );

        const { database } = stores;
        const probe: TaskStep = {
            name: "probe",
            image: images.node,
            program: program("health", {
                namespace: args.metricNamespace,
                deadlineSeconds: DEADLINE_SECONDS,
                probes: [...args.probes],
                ...(database && { idleConnections: IDLE_CONNECTIONS }),
                ...(credentials && {
                    credentials: { maxDays: credentials.maxAge, all: credentials.all },
                }),
            } satisfies HealthPlan),
            ...(stores.cache && { secrets: mountedCache(stores.cache) }),
        };
        const publish: TaskStep = {
            name: "publish",
            image: images.aws,
            program: script("metrics.sh"),
            env: { AWS_DEFAULT_REGION: region },
        };
        const steps: TaskArgs["steps"] = [
            ...(database ? [databaseStep(database, images.postgres!)] : []),
            ...(outside.length > 0 ? [outsideStep(outside, { image: images.aws, region })] : []),
            probe,
            publish,
        ];
        const after = [database, stores.cache].flatMap((store) => store?.resource ?? []);
        const task = { access, steps, deadlineSeconds: DEADLINE_SECONDS, after };
        declareScheduledTask(name, { ...task, schedule: SCHEDULE }, this);
        if (run !== undefined) {
            declareTask(name, { ...task, hash: run, followsChanges: false }, this);
        }

        this.registerOutputs();
    }
}

/** Queries the database, and stores the results for the probe. */
function databaseStep(connection: Connection, image: string): TaskStep {
    const step = asApplication("health.sh", connection);
    const env = { READY: POSTGRES_READY, IDLE: IDLE_CONNECTIONS, ...step.env };
    return { name: "database", image, ...step, env };
}

/** Stores the results of Route 53's checkers for the probe, in a file each. */
function outsideStep(
    outside: readonly { file: string; check: HealthCheck }[],
    { image, region }: { image: string; region: string },
): TaskStep {
    const lines = outside.map(({ file, check }) => interpolate`${file} ${check.id}`);
    return {
        name: "outside",
        image,
        program: script("outside.sh"),
        env: { AWS_DEFAULT_REGION: region, CHECKS: all(lines).apply((each) => each.join("\n")) },
    };
}

/** Addresses of the stores. */
export function storesEgress({ database, cache }: Stores, network: string) {
    const ports = [...(database ? [DATABASE.port] : []), ...(cache ? [CACHE.port] : [])];
    return ports.length === 0
        ? []
        : [{ to: [{ ipBlock: { cidr: network } }], ports: ports.map((port) => ({ protocol: "TCP", port })) }];
}

/** What a step needs to connect to the cache. */
export function mountedCache({ secret }: Connection): MountedKeys[] {
    return [{ name: secret, folder: "cache", keys: ["host", "port", "password"] }];
}
