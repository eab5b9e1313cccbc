import { type types } from "@pulumi/kubernetes";

/**
 * Lets a node drain evict one pod at a time, even the only one or an unready one, so that a drain ends even during a
 * failing release.
 */
export function oneAtATime(selector: Record<string, string>): types.input.policy.v1.PodDisruptionBudgetSpec {
    return {
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: "AlwaysAllow",
        selector: { matchLabels: selector },
    };
}
