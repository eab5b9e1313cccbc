import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { ConfigMap, Service, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { ROLLOUT_TIMEOUT_SECONDS } from "../../core/numbers";
import { contentHash } from "../../core/hash";
import { IDENTITY_AGENT_EGRESS, PodIdentity } from "../identity/podIdentity";
import { COLLECTOR } from "../../core/labels";
import { SKIP_AWAIT } from "../kubernetes/annotations";
import { oneAtATime } from "../kubernetes/disruptionBudget";
import {
    containerResources,
    type PodResources,
    pulledImage,
    type Resources,
    restrictedContainer,
    restrictedPod,
} from "../kubernetes/pod";
import { collectorConfiguration, HEALTH_PORT } from "./collectorConfiguration";

/** Arguments of {@link MetricsCollector}. */
export interface MetricsCollectorArgs {
    /** EKS cluster of the collector. */
    cluster: string;
    accountId: string;
    region: string;
    namespace: Input<string>;
    /** Name of that namespace, the suffix of the pods' DNS names. */
    namespaceName: string;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** PriorityClass of the pod. Default: the cluster's default. */
    priorityClass?: Input<string>;
    /** Image of AWS's OpenTelemetry collector, pinned. */
    image: string;
    /** Services to scrape, by name. */
    services: Readonly<Record<string, { port: number; path: string }>>;
    intervalSeconds: number;
    /** Namespace of the metrics in CloudWatch. */
    metrics: string;
    /** Log group that CloudWatch reads the metrics from, by name and as a resource. */
    logGroup: string;
    after: readonly Resource[];
}

/** Resources of the collector. */
const RESOURCES: Resources = {
    cpu: { request: "100m", limit: "500m" },
    memory: { request: "128Mi", limit: "512Mi" },
};

/** Maximum number of pods at the same time: during a rollout. */
export const COLLECTOR_PODS: readonly PodResources[] = [[RESOURCES], [RESOURCES]];

const CONFIGURATION_PATH = "/etc/mcp";
const CONFIGURATION_FILE = "collector.yaml";

/** Collects the application's metrics from the pods to CloudWatch. Sections 4.3.1, 4.3.2 and 6.3. */
export class MetricsCollector extends ComponentResource {
    constructor(name: string, args: MetricsCollectorArgs, opts?: ComponentResourceOptions) {
        super("mcp:observability:MetricsCollector", name, {}, opts);
        const { accountId, region, namespace, services } = args;
        const app = COLLECTOR;
        const labels = { ...args.labels, app };
        const metadata = { namespace, labels };
        const selector = { matchLabels: { app } };
        const tcp = (port: number) => ({ protocol: "TCP", port });

        // DNS has the address of each pod, ready or not, so that the Kubernetes API is not needed.
        for (const [service, { port }] of Object.entries(services)) {
            new Service(
                `${app}-${service}`,
                {
                    metadata: { ...metadata, name: `${app}-${service}`, annotations: SKIP_AWAIT },
                    spec: {
                        clusterIP: "None",
                        publishNotReadyAddresses: true,
                        selector: { app: service },
                        ports: [{ name: "http", port, targetPort: "http" }],
                    },
                },
                { parent: this },
            );
        }
        const network = new NetworkPolicy(
            app,
            {
                metadata: { ...metadata, name: app },
                spec: {
                    podSelector: selector,
                    policyTypes: ["Ingress", "Egress"],
                    egress: [
                        ...Object.entries(services).map(([service, { port }]) => ({
                            to: [{ podSelector: { matchLabels: { app: service } } }],
                            ports: [tcp(port)],
                        })),
                        // CloudWatch.
                        { ports: [tcp(443)] },
                        IDENTITY_AGENT_EGRESS,
                    ],
                },
            },
            { parent: this },
        );
        const account = new ServiceAccount(
            app,
            { metadata: { ...metadata, name: app }, automountServiceAccountToken: false },
            { parent: this },
        );
        // Before the pod: credentials are injected when it is created.
        const identity = new PodIdentity(
            name,
            {
                cluster: args.cluster,
                namespace,
                serviceAccount: app,
                permissions: [
                    {
                        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
                        resources: [`arn:aws:logs:${region}:${accountId}:log-group:${args.logGroup}:*`],
                    },
                ],
            },
            { parent: this },
        );
        const configuration = collectorConfiguration({
            region,
            namespace: args.metrics,
            logGroup: args.logGroup,
            intervalSeconds: args.intervalSeconds,
            targets: Object.entries(services).map(([service, target]) => ({
                service,
                host: `${app}-${service}.${args.namespaceName}.svc.cluster.local`,
                ...target,
            })),
        });
        // JSON is valid YAML.
        const data = { [CONFIGURATION_FILE]: JSON.stringify(configuration, undefined, 2) };
        const file = new ConfigMap(
            `${app}-config`,
            { metadata: { ...metadata, name: `${app}-${contentHash(data)}` }, immutable: true, data },
            { parent: this },
        );
        const probe = { httpGet: { path: "/", port: "health" } };
        const timeout = `${ROLLOUT_TIMEOUT_SECONDS}s`;
        new Deployment(
            app,
            {
                metadata: { ...metadata, name: app },
                spec: {
                    // One, because two would count everything twice.
                    replicas: 1,
                    selector,
                    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
                    progressDeadlineSeconds: ROLLOUT_TIMEOUT_SECONDS,
                    revisionHistoryLimit: 10,
                    template: {
                        metadata: { labels },
                        spec: {
                            ...restrictedPod,
                            serviceAccountName: account.metadata.name,
                            ...(args.priorityClass && { priorityClassName: args.priorityClass }),
                            topologySpreadConstraints: [
                                {
                                    maxSkew: 1,
                                    topologyKey: "topology.kubernetes.io/zone",
                                    whenUnsatisfiable: "ScheduleAnyway",
                                    labelSelector: selector,
                                },
                            ],
                            containers: [
                                {
                                    name: "collector",
                                    ...pulledImage(args.image),
                                    args: [`--config=${CONFIGURATION_PATH}/${CONFIGURATION_FILE}`],
                                    ports: [{ name: "health", containerPort: HEALTH_PORT }],
                                    livenessProbe: { ...probe, periodSeconds: 30, failureThreshold: 3 },
                                    readinessProbe: { ...probe, periodSeconds: 5 },
                                    resources: containerResources(RESOURCES),
                                    securityContext: restrictedContainer,
                                    volumeMounts: [
                                        {
                                            name: "configuration",
                                            mountPath: CONFIGURATION_PATH,
                                            readOnly: true,
                                        },
                                    ],
                                },
                            ],
                            volumes: [{ name: "configuration", configMap: { name: file.metadata.name } }],
                        },
                    },
                },
            },
            {
                parent: this,
                dependsOn: [network, identity, ...args.after],
                customTimeouts: { create: timeout, update: timeout },
            },
        );
        new PodDisruptionBudget(
            app,
            { metadata: { ...metadata, name: app }, spec: oneAtATime(selector.matchLabels) },
            { parent: this },
        );
        this.registerOutputs();
    }
}
