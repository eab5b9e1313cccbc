import { type types } from "@pulumi/kubernetes";

/**
 * Lets a node drain evict one pod at a time: also the only one, and any that is not ready, so that the drain ends even
 * while a release crashes.
 */
export function oneAtATime(selector: Record<string, string>): types.input.policy.v1.PodDisruptionBudgetSpec {
    return {
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: "AlwaysAllow",
        selector: { matchLabels: selector },
    };
}
