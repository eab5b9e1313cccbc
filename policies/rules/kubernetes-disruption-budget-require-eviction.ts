import { isDeployment, isKind } from "../pods";
import { type PolicyResource, type Rule } from "../rule";
import { eachOf, findOf, scales, selects } from "../selectors";
import { type Properties } from "../unknown";

export const rule: Rule = {
    name: "kubernetes-disruption-budget-require-eviction",
    description:
        "A PodDisruptionBudget lets a pod go even at the autoscaler's minimum, and always one that is not ready: else no node could be drained.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: [
        "kube-linter:pdb-max-unavailable",
        "kube-linter:pdb-min-available",
        "kube-linter:pdb-unhealthy-pod-eviction-policy",
    ],
    remediation:
        "Set maxUnavailable to 1 and unhealthyPodEvictionPolicy to AlwaysAllow, and cover the pods with one PodDisruptionBudget only.",
    stack: eachOf(isDeployment, (deployment, resources, { report }) => {
        const replicas = fewestReplicas(deployment, resources);
        if (replicas === 0) {
            return;
        }
        const budgets = resources.filter(
            (resource) =>
                isKind(resource, "policy", "PodDisruptionBudget") &&
                selects(resource, resource.props["spec"]?.selector, deployment),
        );
        for (const budget of budgets) {
            if (!permitsEviction(budget.props["spec"], replicas)) {
                report(`permits no eviction at the ${replicas} replicas of ${deployment.name}`, budget);
            }
            const unhealthy = budget.props["spec"].unhealthyPodEvictionPolicy ?? "IfHealthyBudget";
            if (unhealthy !== "AlwaysAllow") {
                report(`unhealthyPodEvictionPolicy is ${unhealthy}, expected AlwaysAllow`, budget);
            }
        }
        // The eviction API refuses pods with several budgets.
        if (budgets.length > 1) {
            report(`${budgets.length} PodDisruptionBudgets cover it, expected one`);
        }
    }),
};

function fewestReplicas(deployment: PolicyResource, resources: readonly PolicyResource[]): number {
    const replicas = deployment.props["spec"]?.replicas;
    if (replicas === 0) {
        return 0;
    }
    const autoscalers = resources.filter((resource) =>
        isKind(resource, "autoscaling", "HorizontalPodAutoscaler"),
    );
    const autoscaler = findOf(autoscalers, (candidate) => scales(candidate, deployment));
    return (autoscaler ? autoscaler.props["spec"].minReplicas : replicas) ?? 1;
}

function permitsEviction({ maxUnavailable, minAvailable }: Properties, replicas: number): boolean {
    if (maxUnavailable != null) {
        return podsOf(maxUnavailable, replicas) >= 1;
    }
    return minAvailable != null && podsOf(minAvailable, replicas) < replicas;
}

/** Kubernetes rounds percentages up, for either bound. */
function podsOf(bound: number | string, replicas: number): number {
    return String(bound).endsWith("%")
        ? Math.ceil((parseInt(String(bound)) * replicas) / 100)
        : Number(bound);
}
