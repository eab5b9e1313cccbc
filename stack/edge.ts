import { type Resource } from "@pulumi/pulumi";
import { CERTIFICATE_GATE_PODS } from "../components/edge/certificateGate";
import { PlatformIngress } from "../components/edge/ingress";
import { type PodResources } from "../components/kubernetes/pod";
import { type ResolvedStack } from "../config/resolve";
import { type PlatformContext } from "./platform";

/** Name of the Ingress. Section 5.4 step 3. */
export const INGRESS = "mcp-ingress";

/** Maximum number of pods at the same time. */
export function edgePods({ ingress }: ResolvedStack): readonly PodResources[] {
    return ingress?.verify ? CERTIFICATE_GATE_PODS : [];
}

/**
 * Declares the Ingress, if the stack has one, after workloads whose traffic it moves are `readyForTraffic`. Section
 * 5.4.
 *
 * @returns what those workloads wait for before they are promoted.
 */
export function declareEdge(
    { stack, providers, labels, namespace }: PlatformContext,
    readyForTraffic: readonly Resource[],
): readonly Resource[] {
    const { ingress } = stack;
    if (ingress === undefined) {
        return [];
    }
    const edge = new PlatformIngress(
        INGRESS,
        {
            ...ingress,
            namespace: namespace.namespace,
            labels,
            after: readyForTraffic,
            verify: ingress.verify && {
                address: ingress.address,
                ingressNamespace: ingress.controllerNamespace,
                nodeImage: stack.nodeImage,
            },
        },
        { providers: { kubernetes: providers.kubernetes, ...(ingress.alb && { aws: providers.aws }) } },
    );
    return [edge.ingress];
}
