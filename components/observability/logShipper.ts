import { DaemonSet } from "@pulumi/kubernetes/apps/v1";
import { ConfigMap, Namespace, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import { contentHash } from "../../core/hash";
import { IDENTITY_AGENT_EGRESS, PodIdentity } from "../identity/podIdentity";
import { READS_NODE_LOGS } from "../../core/labels";
import { dnsEgress } from "../platform/namespace";
import {
    containerResources,
    pulledImage,
    type Resources,
    restrictedContainer,
    restrictedPod,
} from "../kubernetes/pod";
import { type FluentBitArgs, fluentBitConfiguration, GRACE_SECONDS, HEALTH_PORT } from "./fluentBit";
import { POD_LOGS, SHIPPER_STATE } from "../../core/nodePaths";

/** Arguments of {@link LogShipper}. */
export interface LogShipperArgs {
    /** EKS cluster of the nodes. */
    cluster: string;
    accountId: string;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Image of Fluent Bit, pinned. */
    image: string;
    /** Addresses of DNS servers in addition to the pods of kube-system. */
    dns: readonly string[];
    /** What is shipped, and to which log groups. */
    routes: Omit<FluentBitArgs, "state">;
    /** The log groups. */
    after: readonly Resource[];
}

/** Resources of Fluent Bit on each node. */
const RESOURCES: Resources = {
    cpu: { request: "50m", limit: "500m" },
    memory: { request: "64Mi", limit: "256Mi" },
};

const CONFIGURATION_PATH = "/etc/mcp";
const CONFIGURATION_FILE = "fluent-bit.yaml";
const STATE_PATH = "/state";

/**
 * Ships the logs of a namespace's pods to CloudWatch: Fluent Bit on every node. It reads the node's files, which root
 * owns, and so departs from the restricted profile in three points, isolated in a dedicated namespace
 * (docs/decisions/log-shipper.md): it mounts two directories of the node, the logs read-only; it runs as root without
 * capabilities; and the namespace allows that.
 */
export class LogShipper extends ComponentResource {
    constructor(name: string, args: LogShipperArgs, opts?: ComponentResourceOptions) {
        super("mcp:observability:LogShipper", name, {}, opts);
        const { accountId, routes } = args;
        const labels = { ...args.labels, app: name };
        const namespace = new Namespace(
            name,
            {
                metadata: {
                    name,
                    labels: {
                        ...args.labels,
                        // Stricter profiles do not allow hostPath volumes.
                        "pod-security.kubernetes.io/enforce": "privileged",
                    },
                },
            },
            { parent: this },
        );
        const metadata = { namespace: namespace.metadata.name, labels };

        const network = new NetworkPolicy(
            name,
            {
                metadata: { ...metadata, name },
                spec: {
                    podSelector: {},
                    policyTypes: ["Ingress", "Egress"],
                    // CloudWatch, in addition to the addresses that every pod with AWS rights needs.
                    egress: [
                        dnsEgress(args.dns),
                        { ports: [{ protocol: "TCP", port: 443 }] },
                        IDENTITY_AGENT_EGRESS,
                    ],
                },
            },
            { parent: this },
        );
        const account = new ServiceAccount(
            name,
            { metadata: { ...metadata, name }, automountServiceAccountToken: false },
            { parent: this },
        );
        const targets = [
            ...Object.values(routes.services),
            routes.jobs,
            ...(routes.audit === undefined ? [] : [routes.audit.logGroup]),
        ];
        // Before the pods: credentials are injected when a pod is created.
        const identity = new PodIdentity(
            name,
            {
                cluster: args.cluster,
                namespace: namespace.metadata.name,
                serviceAccount: name,
                permissions: [
                    {
                        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
                        resources: targets.map(
                            (group) => `arn:aws:logs:${routes.region}:${accountId}:log-group:${group}:*`,
                        ),
                    },
                ],
            },
            { parent: this },
        );
        // JSON is valid YAML.
        const data = {
            [CONFIGURATION_FILE]: JSON.stringify(
                fluentBitConfiguration({ ...routes, state: STATE_PATH }),
                undefined,
                2,
            ),
        };
        const configuration = new ConfigMap(
            `${name}-config`,
            { metadata: { ...metadata, name: `${name}-${contentHash(data)}` }, immutable: true, data },
            { parent: this },
        );
        const probe = (path: string) => ({ httpGet: { path, port: "health" } });
        new DaemonSet(
            name,
            {
                metadata: { ...metadata, name },
                spec: {
                    selector: { matchLabels: { app: name } },
                    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
                    template: {
                        metadata: {
                            labels,
                            annotations: { [READS_NODE_LOGS]: "ships what the platform's pods print" },
                        },
                        spec: {
                            ...restrictedPod,
                            // Root, because root owns the log files and the state directory.
                            securityContext: {
                                runAsUser: 0,
                                runAsGroup: 0,
                                seccompProfile: { type: "RuntimeDefault" },
                            },
                            serviceAccountName: account.metadata.name,
                            // Runs on every node, with priority, even on a full one.
                            nodeSelector: { "kubernetes.io/os": "linux" },
                            tolerations: [{ operator: "Exists" }],
                            priorityClassName: "system-node-critical",
                            terminationGracePeriodSeconds: GRACE_SECONDS + 10,
                            containers: [
                                {
                                    name: "fluent-bit",
                                    ...pulledImage(args.image),
                                    command: [
                                        "/fluent-bit/bin/fluent-bit",
                                        "-c",
                                        `${CONFIGURATION_PATH}/${CONFIGURATION_FILE}`,
                                    ],
                                    ports: [{ name: "health", containerPort: HEALTH_PORT }],
                                    // Checks that it runs and that its output works.
                                    livenessProbe: { ...probe("/"), periodSeconds: 30, failureThreshold: 3 },
                                    readinessProbe: { ...probe("/api/v1/health"), periodSeconds: 10 },
                                    resources: containerResources(RESOURCES),
                                    securityContext: restrictedContainer,
                                    volumeMounts: [
                                        {
                                            name: "configuration",
                                            mountPath: CONFIGURATION_PATH,
                                            readOnly: true,
                                        },
                                        { name: "pod-logs", mountPath: POD_LOGS, readOnly: true },
                                        { name: "state", mountPath: STATE_PATH },
                                    ],
                                },
                            ],
                            volumes: [
                                { name: "configuration", configMap: { name: configuration.metadata.name } },
                                { name: "pod-logs", hostPath: { path: POD_LOGS, type: "Directory" } },
                                // Outlives the pod, so that the next one continues.
                                {
                                    name: "state",
                                    hostPath: { path: `${SHIPPER_STATE}/${name}`, type: "DirectoryOrCreate" },
                                },
                            ],
                        },
                    },
                },
            },
            { parent: this, dependsOn: [network, identity, ...args.after] },
        );
        this.registerOutputs();
    }
}
