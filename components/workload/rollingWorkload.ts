import { type types } from "@pulumi/kubernetes";
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2";
import { ConfigMap, Secret, Service, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import {
    ComponentResource,
    type ComponentResourceOptions,
    type Input,
    type Output,
    type Resource,
} from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import { type SmokeRequest } from "../../jobs/smoke";
import { ROLLOUT_TIMEOUT_SECONDS } from "../../runbook/numbers";
import { contentHash } from "../hash";
import { GATE_LABEL } from "../labels";
import { SmokeGate } from "./gate";
import { type Resources, workloadPod } from "./pod";

/** Pods a rollout may add above the number wanted, in percent. */
export const MAX_SURGE_PERCENT = 25;

/** Length of a generated secret, in characters. */
const GENERATED_SECRET_LENGTH = 40;

/** Arguments of {@link RollingWorkload}. Times are in seconds. */
export interface RollingWorkloadArgs {
    /** Namespace everything is created in. */
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Release tag, shown as the pods' `version` label. */
    version: string;
    /** Full image reference; with a digest, what runs can never change under its tag. */
    image: string;
    /** Port of the container and of the Service. */
    port: number;
    /** Paths of the probes. */
    health: { live: string; ready: string };
    /** Bounds of the autoscaler and the average use, in percent of the request, it aims at. */
    scaling: { min: number; max: number; cpu: number; memory?: number | undefined };
    /** CPU and memory of one pod. */
    resources: Resources;
    /** Environment of the container. */
    config: Record<string, string>;
    /** Secrets of the container by name: the operator's value, or `generated` for one the stack makes itself. */
    secrets: Record<string, Output<string> | "generated">;
    /** Any new value replaces the pods one by one. Default: none. */
    restart?: string | undefined;
    /** Time a pod has to finish its requests. */
    gracePeriod: number;
    /** Who may reach the pods and what they may reach. */
    network: WorkloadNetwork;
    /** Requests of the smoke gate, its limit, and an image with tests of the user's own beside it. */
    smoke: { requests: SmokeRequest[]; deadline: number; image?: string | undefined };
    /** What must exist before the pods start. Default: nothing. */
    after?: readonly Resource[];
    /** Node image the gates run on. */
    nodeImage: string;
}

/** Who may reach a workload's pods, and what they may reach; DNS is open to all, everything else closed. */
export interface WorkloadNetwork {
    /** Namespace of the ingress controller. Default: not reachable from outside the stack. */
    ingressNamespace?: string | undefined;
    /** Names of the workloads that call this one. */
    callers: readonly string[];
    /** Names and ports of the workloads it calls. */
    calls: readonly { app: string; port: number }[];
    /** Addresses outside the namespace it may reach. */
    egress: readonly { cidr: string; except: string[]; ports: number[] }[];
}

/**
 * A service whose pods are replaced step by step when its version changes (section 3.2): the rollout is awaited
 * for 300 seconds and then the smoke gate asks the Service. Setting the version back is the rollback.
 */
export class RollingWorkload extends ComponentResource {
    /** Address of the Service inside the cluster. */
    public readonly url: string;

    constructor(name: string, args: RollingWorkloadArgs, opts?: ComponentResourceOptions) {
        super("mcp:workload:RollingWorkload", name, {}, opts);
        const parent = { parent: this };
        const app = { app: name };
        const labels = { ...args.labels, ...app };
        const metadata = { namespace: args.namespace, labels };
        this.url = `http://${name}:${args.port}`;

        const account = new ServiceAccount(
            name,
            { metadata: { ...metadata, name }, automountServiceAccountToken: false },
            parent,
        );

        // Named by its content: pods start with exactly the configuration they were rolled out with, and the
        // preview shows a changed value as what it is, a new ConfigMap and a rollout.
        const configMap = new ConfigMap(
            `${name}-config`,
            {
                metadata: { ...metadata, name: `${name}-config-${contentHash(args.config)}` },
                immutable: true,
                data: args.config,
            },
            parent,
        );

        const secrets = this.declareSecrets(name, args, metadata);

        const network = new NetworkPolicy(
            name,
            { metadata: { ...metadata, name }, spec: networkPolicy(name, args) },
            parent,
        );

        const timeout = `${ROLLOUT_TIMEOUT_SECONDS}s`;
        const deployment = new Deployment(
            name,
            {
                metadata: { ...metadata, name },
                spec: {
                    // No replicas: the autoscaler owns them, and a number here would undo it at every update.
                    selector: { matchLabels: app },
                    strategy: {
                        type: "RollingUpdate",
                        rollingUpdate: { maxSurge: `${MAX_SURGE_PERCENT}%`, maxUnavailable: 0 },
                    },
                    progressDeadlineSeconds: ROLLOUT_TIMEOUT_SECONDS,
                    revisionHistoryLimit: 10,
                    template: workloadPod({
                        app: name,
                        image: args.image,
                        labels: { ...labels, version: args.version },
                        port: args.port,
                        health: args.health,
                        resources: args.resources,
                        configMap: configMap.metadata.name,
                        secrets,
                        serviceAccount: account.metadata.name,
                        gracePeriodSeconds: args.gracePeriod,
                        restart: args.restart,
                    }),
                },
            },
            {
                parent: this,
                dependsOn: [network, ...(args.after ?? [])],
                customTimeouts: { create: timeout, update: timeout },
            },
        );

        const service = new Service(
            name,
            {
                metadata: { ...metadata, name },
                spec: {
                    type: "ClusterIP",
                    selector: app,
                    ports: [{ name: "http", port: args.port, targetPort: "http" }],
                },
            },
            { parent: this, dependsOn: [deployment] },
        );

        const autoscaler = new HorizontalPodAutoscaler(
            name,
            {
                metadata: { ...metadata, name },
                spec: {
                    scaleTargetRef: {
                        apiVersion: "apps/v1",
                        kind: "Deployment",
                        name: deployment.metadata.name,
                    },
                    minReplicas: args.scaling.min,
                    maxReplicas: args.scaling.max,
                    metrics: utilization(args.scaling),
                    behavior: {
                        // Up at once, to the double within half a minute; down only after five calm minutes.
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
                            policies: [{ type: "Percent", value: 50, periodSeconds: 60 }],
                        },
                    },
                },
            },
            parent,
        );

        new PodDisruptionBudget(
            name,
            {
                metadata: { ...metadata, name },
                // One at a time, and never none: a drain of the node must be able to end even with one replica.
                spec: { maxUnavailable: 1, selector: { matchLabels: app } },
            },
            parent,
        );

        const { requests, deadline, image: testImage } = args.smoke;
        new SmokeGate(
            `${name}-smoke`,
            {
                namespace: args.namespace,
                labels: args.labels,
                app: name,
                port: args.port,
                // Never scaling or restart: they change no release, so they wait for no gate.
                releaseHash: contentHash([args.image, args.config, requests, testImage]),
                secrets: secrets.map((secret) => secret.name),
                plan: {
                    subject: `${name} ${args.version}`,
                    target: this.url,
                    deadlineSeconds: deadline,
                    requests,
                },
                nodeImage: args.nodeImage,
                testImage,
                after: [deployment, service, autoscaler],
            },
            parent,
        );

        this.registerOutputs({ url: this.url });
    }

    /**
     * One Secret for the operator's values and one for the generated ones, each under a new name whenever a value
     * changes.
     */
    private declareSecrets(
        name: string,
        args: RollingWorkloadArgs,
        metadata: types.input.meta.v1.ObjectMeta,
    ) {
        const supplied: Record<string, Output<string>> = {};
        const generated: Record<string, Output<string>> = {};
        for (const [key, value] of Object.entries(args.secrets)) {
            if (value !== "generated") {
                supplied[key] = value;
                continue;
            }
            const password = new RandomPassword(
                `${name}-${key.toLowerCase().replaceAll("_", "-")}`,
                { length: GENERATED_SECRET_LENGTH, special: false },
                { parent: this },
            );
            generated[key] = password.result;
        }
        return Object.entries({ supplied, generated })
            .filter(([, values]) => Object.keys(values).length > 0)
            .map(([origin, stringData]) => {
                const secret = new Secret(
                    `${name}-${origin}`,
                    { metadata, immutable: true, stringData },
                    { parent: this },
                );
                return { name: secret.metadata.name, keys: Object.keys(stringData) };
            });
    }
}

function utilization(scaling: RollingWorkloadArgs["scaling"]): types.input.autoscaling.v2.MetricSpec[] {
    const targets = { cpu: scaling.cpu, memory: scaling.memory };
    return Object.entries(targets).flatMap(([name, averageUtilization]) =>
        averageUtilization === undefined
            ? []
            : [{ type: "Resource", resource: { name, target: { type: "Utilization", averageUtilization } } }],
    );
}

function networkPolicy(app: string, args: RollingWorkloadArgs): types.input.networking.v1.NetworkPolicySpec {
    const { ingressNamespace, callers, calls, egress } = args.network;
    const tcp = (port: number) => ({ protocol: "TCP", port });
    const pods = (matchLabels: Record<string, string>) => ({ podSelector: { matchLabels } });
    return {
        podSelector: { matchLabels: { app } },
        policyTypes: ["Ingress", "Egress"],
        ingress: [
            {
                from: [
                    pods({ [GATE_LABEL]: app }),
                    ...callers.map((caller) => pods({ app: caller })),
                    ...(ingressNamespace === undefined
                        ? []
                        : [
                              {
                                  namespaceSelector: {
                                      matchLabels: { "kubernetes.io/metadata.name": ingressNamespace },
                                  },
                              },
                          ]),
                ],
                ports: [tcp(args.port)],
            },
        ],
        egress: [
            ...calls.map((callee) => ({ to: [pods({ app: callee.app })], ports: [tcp(callee.port)] })),
            ...egress.map(({ cidr, except, ports }) => ({
                to: [{ ipBlock: { cidr, ...(except.length > 0 ? { except } : {}) } }],
                ports: ports.map(tcp),
            })),
        ],
    };
}
