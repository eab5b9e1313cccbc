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

/** Every two minutes: two runs in a row must be unhealthy within the five that an alarm looks at. */
const SCHEDULE = "*/2 * * * *";

/** File in which the steps hand on how many connections to the database idle. */
const IDLE_CONNECTIONS = "idle-connections";

/** Limit of one run, in seconds. With the time to start it is over before the next one. */
const DEADLINE_SECONDS = 60;

/** Stores whose rows the matrix has, by what they are. */
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
    /** What is asked. */
    probes: readonly Probe[];
    /** What is asked from outside, too: its health checks, by the file in which the probe finds how it is. */
    outside: Readonly<Record<string, HealthCheck>>;
    /** Names and ports of the services among it. */
    services: readonly { app: string; port: number }[];
    stores: Stores;
    /** Range of the network that the stores are in. */
    network: string;
    /** Namespace of the ingress controller, behind which the stack's own hosts are. Default: an ALB is before them. */
    ingressNamespace?: string | undefined;
    /** Ports of TLS, where it is opened to others than 443. */
    ports: readonly number[];
    /** Images the steps run on, pinned. */
    images: { node: string; aws: string; postgres: string | undefined };
    /** Names a run beside the scheduled ones, which the update waits for: the ticket. Default: none. */
    run?: string | undefined;
}

/** Most pods at the same time: the scheduled check, and one by hand. */
export const HEALTH_PODS = taskPods(2);

/**
 * The health check matrix (section 2.1) filled in every two minutes, with what the platform depends on: a line each in
 * the Job's log (section 2.2), `Healthy`, `LatencyMilliseconds`, `CertificateDays` and `IdleConnections` by `Component`
 * in CloudWatch, and a Job that fails when something is unhealthy, after its metrics have been published.
 */
export class HealthChecks extends ComponentResource {
    constructor(name: string, args: HealthChecksArgs, opts?: ComponentResourceOptions) {
        super("mcp:observability:HealthChecks", name, {}, opts);
        const { namespace, labels, region, stores, images, run } = args;

        const outside = Object.entries(args.outside).map(([file, check]) => ({ file, check }));
        const access = declareTaskAccess(
            name,
            {
                namespace,
                labels,
                egress: [
                    ...args.services.map(egressToPods),
                    ...storesEgress(stores, args.network),
                    // Anywhere: APIM, Azure AD and CloudWatch change their addresses.
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

/** Asks the database and leaves its answers to the probe. */
function databaseStep(connection: Connection, image: string): TaskStep {
    const step = asApplication("health.sh", connection);
    const env = { READY: POSTGRES_READY, IDLE: IDLE_CONNECTIONS, ...step.env };
    return { name: "database", image, ...step, env };
}

/** Leaves what the checkers have found to the probe, a file each. */
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

/** Where the stores are reached. */
export function storesEgress({ database, cache }: Stores, network: string) {
    const ports = [...(database ? [DATABASE.port] : []), ...(cache ? [CACHE.port] : [])];
    return ports.length === 0
        ? []
        : [{ to: [{ ipBlock: { cidr: network } }], ports: ports.map((port) => ({ protocol: "TCP", port })) }];
}

/** What a step needs to know of the cache. */
export function mountedCache({ secret }: Connection): MountedKeys[] {
    return [{ name: secret, folder: "cache", keys: ["host", "port", "password"] }];
}
