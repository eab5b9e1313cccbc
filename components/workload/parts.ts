import { type types } from "@pulumi/kubernetes";
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2";
import { ConfigMap, Secret, Service, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import { all, type ComponentResource, type Input, type Output, type Resource } from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import { type ChangeRecord } from "../../jobs/evidence";
import { type SmokeRequest } from "../../jobs/smoke";
import { ROLLOUT_TIMEOUT_SECONDS } from "../../core/numbers";
import { type DatabaseDumps } from "../backup/databaseDumps";
import { type Connection } from "../data/connection";
import { ALB_DEREGISTRATION_SECONDS, targetAnnotations } from "../edge/alb";
import { contentHash } from "../../core/hash";
import { IDENTITY_AGENT_EGRESS } from "../identity/podIdentity";
import { COLLECTOR, GATE_LABEL, TASK_LABEL } from "../../core/labels";
import { namespacePeer } from "../platform/namespace";
import { type ReleaseApproval } from "./releaseApproval";
import { type MountedSecret, type Resources, workloadPod } from "./pod";

/** Pods a rollout may add above the number wanted, in percent. */
export const MAX_SURGE_PERCENT = 25;

/** Time that proxies in the cluster have to take note that a pod leaves its Service, in seconds. */
const DEREGISTRATION_SECONDS = 5;

/** One type for both strategies: a workload keeps its identity, and what is in the cluster, when its strategy changes. */
export const WORKLOAD_TYPE = "mcp:workload:Workload";

/** Length of a generated secret, in characters. */
const GENERATED_SECRET_LENGTH = 40;

/** Secrets of a container by name: the operator's value, or `generated` for one the stack makes itself. */
export type WorkloadSecrets = Record<string, Output<string> | "generated">;

/** What every workload is told, whatever its strategy. Times are in seconds. */
export interface WorkloadArgs {
    /** Namespace everything is created in. */
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Port of the container and of the Service. */
    port: number;
    /** Paths of the probes. */
    health: { live: string; ready: string };
    /** Bounds of the autoscaler and the average use, in percent of the request, it aims at. */
    scaling: { min: number; max: number; cpu: number; memory?: number | undefined };
    /** CPU and memory of one pod. */
    resources: Resources;
    secrets: WorkloadSecrets;
    /**
     * Stores the pods reach, by the name their URL has among the secrets. No part of a release: another store
     * replaces the pods, and no gate is asked again. Section 7.2 steps 5 and 6. Default: none.
     */
    connections?: Readonly<Record<string, Connection>>;
    /** Any new value replaces the pods one by one. Default: none. */
    restart?: string | undefined;
    /** Time a pod has to finish its requests. */
    gracePeriod: number;
    /** Who may reach the pods and what they may reach. */
    network: WorkloadNetwork;
    /** The ALB whose targets the pods are. Default: none. */
    alb?: AlbTargets | undefined;
    /** Requests of the smoke gate, its limit, and an image with tests of the user's own beside it. */
    smoke: { requests: SmokeRequest[]; deadline: number; image?: string | undefined };
    /** Node image the gates run on. */
    nodeImage: string;
    /** What must exist before the pods start. Default: nothing. */
    after?: readonly Resource[];
    /** Takes the dump before a release that changes the database. Default: none, and no release may. */
    dumps?: DatabaseDumps | undefined;
    /** What a release must bring before its pods start. Default: nothing. */
    checklist?: ReleaseApproval | undefined;
}

/** One release, ready to run. */
export interface Release {
    /** Image tag. */
    version: string;
    /** Full image reference; with a digest, what runs can never change under its tag. */
    image: string;
    /** Environment of the container. */
    config: Record<string, string>;
    /** Record of the change that brings it. Default: none. */
    change?: ChangeRecord | undefined;
    /** Whether it changes the database: then a dump is taken before its pods start. */
    databaseChange: boolean;
}

/** An Ingress that workloads know before it is declared. */
export interface WeightsIngress {
    /** Name of the object. */
    name: string;
    /** The Ingress, as soon as it is declared. */
    declared: Promise<Resource>;
}

/** How an ALB reaches the pods. */
export interface AlbTargets {
    /** The Ingress that moves the traffic by the weights of two colours. Default: the selector of the Service does. */
    weights?: WeightsIngress | undefined;
}

/** Who may reach a workload's pods, and what they may reach; DNS is open to all, everything else closed. */
export interface WorkloadNetwork {
    /**
     * Where requests from outside the stack come from: the namespace of the ingress controller, or the ranges of the
     * ALB's subnets. Default: not reachable from outside.
     */
    outside?: { namespace: string } | { cidrs: readonly string[] } | undefined;
    /** Names of the workloads that call this one. */
    callers: readonly string[];
    /** Tasks that ask its pods, by their label. */
    tasks: readonly string[];
    /** Names and ports of the workloads it calls. */
    calls: readonly { app: string; port: number }[];
    /** Addresses outside the namespace it may reach. */
    egress: readonly { cidr: string; except: string[]; ports: number[] }[];
    /** Whether the pods have AWS rights, and so an agent to fetch their credentials from. */
    awsIdentity: boolean;
    /** Whether the collector of metrics asks the pods. */
    scraped: boolean;
}

/** Names one thing that is tested: the image and what it runs with, and nothing else. */
export function releaseHash({ image, config }: Release): string {
    return contentHash([image, config]);
}

/** Names one thing that is approved: the version and its image. With another configuration they are no other release. */
export function approvalHash({ version, image }: Release): string {
    return contentHash([version, image]);
}

/** The ServiceAccount of a workload's pods, which has no token to lose. */
export function declareAccount(app: string, args: WorkloadArgs, parent: ComponentResource): ServiceAccount {
    return new ServiceAccount(
        app,
        { metadata: metadataOf(app, app, args), automountServiceAccountToken: false },
        { parent },
    );
}

/** Lets exactly those connections through that the workload's network values name, its gates, and tasks that ask it. */
export function declareNetworkPolicy(
    app: string,
    args: WorkloadArgs,
    parent: ComponentResource,
): NetworkPolicy {
    const { outside, callers, tasks, calls, egress, awsIdentity, scraped } = args.network;
    const tcp = (port: number) => ({ protocol: "TCP", port });
    const pods = (matchLabels: Record<string, string>) => ({ podSelector: { matchLabels } });
    const peers = (from: NonNullable<typeof outside>) =>
        "namespace" in from
            ? [namespacePeer(from.namespace)]
            : from.cidrs.map((cidr) => ({ ipBlock: { cidr } }));
    return new NetworkPolicy(
        app,
        {
            metadata: metadataOf(app, app, args),
            spec: {
                podSelector: { matchLabels: { app } },
                policyTypes: ["Ingress", "Egress"],
                ingress: [
                    {
                        from: [
                            pods({ [GATE_LABEL]: app }),
                            ...tasks.map((task) => pods({ [TASK_LABEL]: task })),
                            ...callers.map((caller) => pods({ app: caller })),
                            ...(scraped ? [pods({ app: COLLECTOR })] : []),
                            ...(outside === undefined ? [] : peers(outside)),
                        ],
                        ports: [tcp(args.port)],
                    },
                ],
                egress: [
                    ...calls.map((callee) => ({
                        to: [pods({ app: callee.app })],
                        ports: [tcp(callee.port)],
                    })),
                    ...egress.map(({ cidr, except, ports }) => ({
                        to: [{ ipBlock: { cidr, ...(except.length > 0 ? { except } : {}) } }],
                        ports: ports.map(tcp),
                    })),
                    ...(awsIdentity ? [IDENTITY_AGENT_EGRESS] : []),
                ],
            },
        },
        { parent },
    );
}

/**
 * Configuration of one release. Named by its content: pods start with exactly what they were rolled out with, and
 * the preview shows a changed value as what it is, a new ConfigMap and a rollout.
 */
export function declareConfiguration(
    name: string,
    app: string,
    args: WorkloadArgs,
    data: Record<string, string>,
    parent: ComponentResource,
): ConfigMap {
    const metadata = metadataOf(`${name}-config-${contentHash(data)}`, app, args);
    return new ConfigMap(`${name}-config`, { metadata, immutable: true, data }, { parent });
}

/** The values of a workload's secrets, generated ones included. */
export function declareSecretValues(
    app: string,
    { secrets }: WorkloadArgs,
    parent: ComponentResource,
): Record<"supplied" | "generated", Record<string, Output<string>>> {
    const supplied: Record<string, Output<string>> = {};
    const generated: Record<string, Output<string>> = {};
    for (const [key, value] of Object.entries(secrets)) {
        if (value !== "generated") {
            supplied[key] = value;
            continue;
        }
        const password = new RandomPassword(
            `${app}-${key.toLowerCase().replaceAll("_", "-")}`,
            { length: GENERATED_SECRET_LENGTH, special: false },
            { parent },
        );
        generated[key] = password.result;
    }
    return { supplied, generated };
}

/**
 * Secrets of a set of pods: one for the operator's values and one for the generated ones, each under a new name
 * whenever a value changes.
 */
export function declareSecrets(
    name: string,
    app: string,
    args: WorkloadArgs,
    values: ReturnType<typeof declareSecretValues>,
    parent: ComponentResource,
): MountedSecret[] {
    return Object.entries(values)
        .filter(([, stringData]) => Object.keys(stringData).length > 0)
        .map(([origin, stringData]) => {
            const { namespace, labels } = metadataOf(name, app, args);
            const metadata = { namespace, labels };
            const secret = new Secret(
                `${name}-${origin}`,
                { metadata, immutable: true, stringData },
                { parent },
            );
            const files = Object.fromEntries(Object.keys(stringData).map((key) => [key, key]));
            return { name: secret.metadata.name, files };
        });
}

/**
 * The dump before a release that changes the database: what its pods must wait for. It is taken by the update that
 * names the release, once, whether or not the release gets its traffic at once: scaling, a restart, another
 * configuration and the way back to it wait for none. Section 3.1.
 */
export function declareDump(
    name: string,
    app: string,
    { dumps }: WorkloadArgs,
    release: Release,
    parent: ComponentResource,
): Resource[] {
    return dumps !== undefined && release.databaseChange
        ? [dumps.takeOnce(`${name}-dump`, approvalHash(release), `${app}-${release.version}`, parent)]
        : [];
}

/** What distinguishes one Deployment of a workload from another. */
export interface DeploymentArgs {
    app: string;
    release: Release;
    /** Labels that select the pods, `app` among them. */
    selector: Record<string, string>;
    /** Value of the pods' `version` label, by which the runbook's commands find them. */
    versionLabel: string;
    configMap: Input<string>;
    secrets: readonly MountedSecret[];
    serviceAccount: Input<string>;
    /** No replicas at all: an idle colour on cold standby. Nothing to await then. Default: false. */
    scaledToZero?: boolean;
    dependsOn: readonly Resource[];
}

/** The pods of one release; its rollout is awaited for 300 seconds (section 3.2 step 2). */
export function declareDeployment(
    name: string,
    args: WorkloadArgs,
    own: DeploymentArgs,
    parent: ComponentResource,
): Deployment {
    const timeout = `${ROLLOUT_TIMEOUT_SECONDS}s`;
    const metadata = metadataOf(name, own.app, args);
    const connections = Object.entries(args.connections ?? {});
    return new Deployment(
        name,
        {
            metadata: own.scaledToZero ? { ...metadata, annotations: SKIP_AWAIT } : metadata,
            spec: {
                // Otherwise no replicas: the autoscaler owns them, and a number here would undo it at every update.
                ...(own.scaledToZero ? { replicas: 0 } : {}),
                selector: { matchLabels: own.selector },
                strategy: {
                    type: "RollingUpdate",
                    rollingUpdate: { maxSurge: `${MAX_SURGE_PERCENT}%`, maxUnavailable: 0 },
                },
                progressDeadlineSeconds: ROLLOUT_TIMEOUT_SECONDS,
                revisionHistoryLimit: 10,
                template: workloadPod({
                    app: own.app,
                    image: own.release.image,
                    labels: {
                        ...metadata.labels,
                        ...own.selector,
                        version: own.versionLabel,
                        "app.kubernetes.io/version": own.release.version,
                    },
                    port: args.port,
                    health: args.health,
                    resources: args.resources,
                    configMap: own.configMap,
                    secrets: [
                        ...own.secrets,
                        ...connections.map(([variable, { secret, key }]) => ({
                            name: secret,
                            files: { [key]: variable },
                        })),
                    ],
                    connections: checksumOf(connections.map(([, connection]) => connection)),
                    serviceAccount: own.serviceAccount,
                    gracePeriodSeconds: args.gracePeriod,
                    deregistrationSeconds: deregistrationSeconds(args),
                    restart: args.restart,
                }),
            },
        },
        {
            parent,
            dependsOn: [...own.dependsOn, ...connections.map(([, { resource }]) => resource)],
            customTimeouts: { create: timeout, update: timeout },
        },
    );
}

/** One text that changes with any of the stores. */
function checksumOf(connections: readonly Connection[]): Output<string> | undefined {
    return connections.length === 0
        ? undefined
        : all(connections.map(({ checksum }) => checksum)).apply((checksums) => checksums.join(" "));
}

/** Time between a pod leaving its Service and its process being told to stop, in seconds. */
function deregistrationSeconds({ alb }: WorkloadArgs): number {
    return alb === undefined ? DEREGISTRATION_SECONDS : ALB_DEREGISTRATION_SECONDS;
}

/** For what is not worth waiting for, or cannot become ready. */
export const SKIP_AWAIT = { "pulumi.com/skipAwait": "true" };

/**
 * A Service in front of the selected pods. Without await it may select nothing yet. Where there is an ALB, each says
 * what its health checks ask, whether its pods are targets or not: the controller reads what is said at any moment.
 */
export function declareService(
    name: string,
    args: WorkloadArgs,
    own: {
        app: string;
        selector: Record<string, string>;
        await: boolean;
        dependsOn: readonly Input<Resource>[];
    },
    parent: ComponentResource,
): Service {
    const metadata = metadataOf(name, own.app, args);
    const annotations = {
        ...(own.await ? {} : SKIP_AWAIT),
        // Requests may take as long as the pod itself may.
        ...(args.alb === undefined
            ? {}
            : targetAnnotations(args.health.ready, deregistrationSeconds(args) + args.gracePeriod)),
    };
    return new Service(
        name,
        {
            metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations },
            spec: {
                type: "ClusterIP",
                selector: own.selector,
                ports: [{ name: "http", port: args.port, targetPort: "http" }],
            },
        },
        { parent, dependsOn: [...own.dependsOn] },
    );
}

/** Scales a Deployment within the bounds of the values (section 4.3.3 steps 3 and 4). */
export function declareAutoscaler(
    name: string,
    app: string,
    args: WorkloadArgs,
    deployment: Deployment,
    parent: ComponentResource,
): HorizontalPodAutoscaler {
    return new HorizontalPodAutoscaler(
        name,
        {
            metadata: metadataOf(name, app, args),
            spec: {
                scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment.metadata.name },
                minReplicas: args.scaling.min,
                maxReplicas: args.scaling.max,
                metrics: utilization(args.scaling),
                behavior: {
                    // Up at once, to the double within half a minute; down only after five calm minutes, and then
                    // slowly: what the capacity gate asked for is still there when traffic moves.
                    scaleUp: {
                        stabilizationWindowSeconds: 0,
                        policies: [
                            { type: "Percent", value: 100, periodSeconds: 30 },
                            { type: "Pods", value: 2, periodSeconds: 30 },
                        ],
                        selectPolicy: "Max",
                    },
                    scaleDown: {
                        stabilizationWindowSeconds: 300,
                        policies: [
                            { type: "Pods", value: 1, periodSeconds: 60 },
                            { type: "Percent", value: 10, periodSeconds: 60 },
                        ],
                        selectPolicy: "Max",
                    },
                },
            },
        },
        { parent },
    );
}

/** Lets a node drain take one pod at a time, and never none: with one replica too, the drain can end. */
export function declareBudget(
    name: string,
    app: string,
    args: WorkloadArgs,
    selector: Record<string, string>,
    parent: ComponentResource,
): PodDisruptionBudget {
    return new PodDisruptionBudget(
        name,
        {
            metadata: metadataOf(name, app, args),
            spec: { maxUnavailable: 1, selector: { matchLabels: selector } },
        },
        { parent },
    );
}

function metadataOf(name: string, app: string, { namespace, labels }: WorkloadArgs) {
    return { name, namespace, labels: { ...labels, app } };
}

function utilization(scaling: WorkloadArgs["scaling"]): types.input.autoscaling.v2.MetricSpec[] {
    const targets = { cpu: scaling.cpu, memory: scaling.memory };
    return Object.entries(targets).flatMap(([name, averageUtilization]) =>
        averageUtilization === undefined
            ? []
            : [{ type: "Resource", resource: { name, target: { type: "Utilization", averageUtilization } } }],
    );
}
