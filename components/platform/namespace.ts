import { ConfigMap, Namespace, ResourceQuota } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { PriorityClass } from "@pulumi/kubernetes/scheduling/v1";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { LEDGER, REGISTRIES_ANNOTATION } from "../../core/labels";

/** Allows the cluster's DNS: its pods, and the addresses of DNS servers on or in front of the node. */
export function dnsEgress(ranges: readonly string[]) {
    const pods = { ...namespacePeer("kube-system"), podSelector: { matchLabels: { "k8s-app": "kube-dns" } } };
    return {
        to: [pods, ...ranges.map((cidr) => ({ ipBlock: { cidr } }))],
        ports: [
            { protocol: "UDP", port: 53 },
            { protocol: "TCP", port: 53 },
        ],
    };
}

/** Selects every pod of a namespace in a NetworkPolicy. */
export function namespacePeer(namespace: string) {
    return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } };
}

/** Allows all pods of a namespace, on any port: policies see the pods' ports, not the Service's. */
export function namespaceEgress(namespace: string) {
    return { to: [namespacePeer(namespace)] };
}

/** Quota: the maximum requests of all pods of the namespace. */
export interface Quota {
    pods: number;
    /** Quantities in Kubernetes' format, such as `2500m` and `4096Mi`. */
    requests: { cpu: string; memory: string };
    limits: { cpu: string; memory: string };
}

/** Arguments of {@link PlatformNamespace}. */
export interface PlatformNamespaceArgs {
    /** Name of the namespace, as in the runbook's commands. */
    namespace: string;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** See {@link Quota}. */
    quota: Quota;
    /** Addresses of DNS servers in addition to the pods of kube-system. Default: none. */
    dns?: readonly string[];
    /** Further labels of the namespace, for controllers. Default: none. */
    namespaceLabels?: Readonly<Record<string, string>>;
    /** Priority of the services, and whether they preempt pods of lower priority. Default: none. */
    priority?: { value: number; preempts: boolean };
    /** Registries of its images, for the policies. Default: none. */
    registries?: readonly string[];
    /** Refuses to delete the namespace and its contents. Default: false. */
    protect?: boolean;
}

/**
 * The namespace that a stack owns: the restricted Pod Security profile is enforced, the quota is the stack's maximum,
 * and all traffic except DNS is denied unless a workload's NetworkPolicy allows it.
 */
export class PlatformNamespace extends ComponentResource {
    /** Name of the namespace, resolved after it exists. */
    public readonly namespace: Input<string>;
    /** PriorityClass of the services, if they have a priority. */
    public readonly priorityClass: Input<string> | undefined;

    constructor(name: string, args: PlatformNamespaceArgs, opts?: ComponentResourceOptions) {
        super("mcp:platform:Namespace", name, {}, opts);

        const namespace = new Namespace(
            name,
            {
                metadata: {
                    name: args.namespace,
                    ...(args.registries && {
                        annotations: { [REGISTRIES_ANNOTATION]: args.registries.join(",") },
                    }),
                    labels: {
                        ...args.labels,
                        ...args.namespaceLabels,
                        "pod-security.kubernetes.io/enforce": "restricted",
                        "pod-security.kubernetes.io/audit": "restricted",
                        "pod-security.kubernetes.io/warn": "restricted",
                    },
                },
            },
            { parent: this, protect: args.protect ?? false },
        );
        this.namespace = namespace.metadata.name;
        const metadata = { namespace: this.namespace, labels: args.labels };

        new ResourceQuota(
            `${name}-quota`,
            {
                metadata: { ...metadata, name: "mcp-quota" },
                spec: {
                    hard: {
                        pods: String(args.quota.pods),
                        "requests.cpu": args.quota.requests.cpu,
                        "requests.memory": args.quota.requests.memory,
                        "limits.cpu": args.quota.limits.cpu,
                        "limits.memory": args.quota.limits.memory,
                    },
                },
            },
            { parent: this },
        );

        new NetworkPolicy(
            `${name}-default-deny`,
            {
                metadata: { ...metadata, name: "default-deny" },
                spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
            },
            { parent: this },
        );

        new NetworkPolicy(
            `${name}-dns`,
            {
                metadata: { ...metadata, name: "allow-dns" },
                spec: {
                    podSelector: {},
                    policyTypes: ["Egress"],
                    egress: [dnsEgress(args.dns ?? [])],
                },
            },
            { parent: this },
        );

        if (args.priority !== undefined) {
            const { value, preempts } = args.priority;
            // PriorityClasses are cluster-wide; the namespace makes the name unique.
            const priorityClass = new PriorityClass(
                `${name}-services`,
                {
                    metadata: { name: `${args.namespace}-services`, labels: args.labels },
                    description: `Services of ${args.namespace}`,
                    value,
                    preemptionPolicy: preempts ? "PreemptLowerPriority" : "Never",
                },
                // The API refuses to change them.
                { parent: this, replaceOnChanges: ["value", "preemptionPolicy"], deleteBeforeReplace: true },
            );
            this.priorityClass = priorityClass.metadata.name;
        }

        // The release history. Only the release gates write to it, so the program ignores its data.
        new ConfigMap(
            `${name}-releases`,
            { metadata: { ...metadata, name: LEDGER } },
            { parent: this, ignoreChanges: ["data"] },
        );
        this.registerOutputs({ namespace: this.namespace });
    }
}
