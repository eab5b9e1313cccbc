import { ConfigMap, Namespace, ResourceQuota } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { PriorityClass } from "@pulumi/kubernetes/scheduling/v1";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { LEDGER, REGISTRIES_ANNOTATION } from "../../core/labels";

/** To the cluster's DNS: its pods, and the ranges where something else on or before the node answers. */
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

/** Every pod of a namespace, for a NetworkPolicy. */
export function namespacePeer(namespace: string) {
    return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } };
}

/** To all of a namespace. On any port: a Service leads to its pods' own, and policies see those. */
export function namespaceEgress(namespace: string) {
    return { to: [namespacePeer(namespace)] };
}

/** Most the pods of a namespace may ask for together. */
export interface Quota {
    pods: number;
    /** Whole quantities as Kubernetes takes them, such as `2500m` and `4096Mi`. */
    requests: { cpu: string; memory: string };
    limits: { cpu: string; memory: string };
}

/** Arguments of {@link PlatformNamespace}. */
export interface PlatformNamespaceArgs {
    /** Name of the namespace, the same in the runbook's commands. */
    namespace: string;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** See {@link Quota}. */
    quota: Quota;
    /** Ranges where pods reach DNS beside the pods of kube-system. Default: none. */
    dns?: readonly string[];
    /** Further labels of the namespace itself, by which others know what to do with its pods. Default: none. */
    namespaceLabels?: Readonly<Record<string, string>>;
    /** Priority of the services, and whether they take the place of pods with less on a full cluster. Default: none. */
    priority?: { value: number; preempts: boolean };
    /** Registries that its images come from, for the policies. Default: none. */
    registries?: readonly string[];
    /** Refuses to delete the namespace, and everything in it with it. Default: false. */
    protect?: boolean;
}

/**
 * The namespace a stack owns: the restricted Pod Security profile is enforced, the quota is what the stack needs
 * at its largest, and no packet flows that a workload's own NetworkPolicy does not allow, except to DNS.
 */
export class PlatformNamespace extends ComponentResource {
    /** Name of the namespace, known once it exists. */
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
            // The cluster has one set of names for all its namespaces, which are distinct themselves.
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

        // The memory of the release gates, which alone write to it: what it holds is none of the program's business.
        new ConfigMap(
            `${name}-releases`,
            { metadata: { ...metadata, name: LEDGER } },
            { parent: this, ignoreChanges: ["data"] },
        );
        this.registerOutputs({ namespace: this.namespace });
    }
}
