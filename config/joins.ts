import { type Output } from "@pulumi/pulumi";
import { type StackValues } from "./stack";

/** Who may reach a workload and what it may reach, with the names of the values resolved. */
export function networkOf({ workloads, kubernetes }: StackValues, name: string) {
    const { ingress, calls, egress } = workloads[name]!.network;
    return {
        ingressNamespace: ingress ? kubernetes.ingressNamespace : undefined,
        callers: Object.keys(workloads).filter((other) => workloads[other]!.network.calls.includes(name)),
        calls: calls.map((app) => ({ app, port: workloads[app]!.port })),
        egress,
    };
}

/** Secrets of a workload by name: the operator's value, or `generated`. */
export function secretsOf(
    { workloads, secrets }: StackValues,
    name: string,
): Record<string, Output<string> | "generated"> {
    return Object.fromEntries(
        Object.entries(workloads[name]!.secrets).map(([key, origin]) => [
            key,
            origin === "generated" ? origin : secrets[name]![key]!,
        ]),
    );
}
