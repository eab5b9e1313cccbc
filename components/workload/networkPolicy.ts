import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { type ComponentResource } from "@pulumi/pulumi";
import { COLLECTOR, GATE_LABEL, TASK_LABEL } from "../../core/labels";
import { IDENTITY_AGENT_EGRESS } from "../identity/podIdentity";
import { namespacePeer } from "../platform/namespace";
import { metadataOf, type WorkloadArgs, type WorkloadNetwork } from "./workload";

/** Allows exactly the connections of the workload's network values, and those of its gates and tasks. */
export function declareNetworkPolicy(
    app: string,
    args: WorkloadArgs,
    parent: ComponentResource,
): NetworkPolicy {
    const {
        outside,
        callers = [],
        tasks = [],
        calls = [],
        egress = [],
        awsIdentity,
        scraped,
    } = args.network ?? {};
    const tcp = (port: number) => ({ protocol: "TCP", port });
    const pods = (matchLabels: Record<string, string>) => ({ podSelector: { matchLabels } });
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
                            ...(outside === undefined ? [] : peersOf(outside)),
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

function peersOf(outside: NonNullable<WorkloadNetwork["outside"]>) {
    return "namespace" in outside
        ? [namespacePeer(outside.namespace)]
        : outside.cidrs.map((cidr) => ({ ipBlock: { cidr } }));
}
