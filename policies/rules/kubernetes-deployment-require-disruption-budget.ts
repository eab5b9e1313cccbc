import { isDeployment, isKind } from "../pods";
import { type Rule } from "../rule";
import { eachOf, findOf, selects } from "../selectors";

export const rule: Rule = {
    name: "kubernetes-deployment-require-disruption-budget",
    description: "A PodDisruptionBudget of its namespace covers every Deployment.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["kube-score:deployment-has-poddisruptionbudget"],
    remediation: "Declare a PodDisruptionBudget whose selector matches the pod's labels.",
    stack: eachOf(isDeployment, (deployment, resources, { report }) => {
        const budgets = resources.filter((resource) => isKind(resource, "policy", "PodDisruptionBudget"));
        if (
            findOf(budgets, (budget) => selects(budget, budget.props["spec"]?.selector, deployment)) ===
            undefined
        ) {
            report("no PodDisruptionBudget covers it");
        }
    }),
};
