import { isKind } from "../pods";
import { type PolicyResource, type Rule } from "../rule";
import { eachOf, findOf, scales } from "../selectors";
import { type Properties } from "../unknown";

export const rule: Rule = {
    name: "kubernetes-autoscaler-disallow-static-replicas",
    description: "What an autoscaler scales states no replicas, or every update would undo its work.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["kube-score:deployment-targeted-by-hpa-does-not-have-replicas-configured"],
    remediation:
        "Remove replicas from the Deployment; 0 may stay, which scales it away and stops the autoscaler.",
    stack: eachOf(
        (resource) => isKind(resource, "autoscaling", "HorizontalPodAutoscaler"),
        (autoscaler, resources, { report }) => {
            const target = findOf(resources, (resource) => scales(autoscaler, resource));
            const found = target?.props["spec"]?.replicas ?? 0;
            if (found !== 0 && statesReplicas(target!)) {
                report(`states ${found} replicas, which ${autoscaler.name} is to decide`, target);
            }
        },
    ),
};

/**
 * The engine passes the live object to a stack rule, with the autoscaler's replicas: there, only the fields that the
 * program applied count.
 */
function statesReplicas({ props }: PolicyResource): boolean {
    const managers: Properties[] | undefined = props["metadata"]?.managedFields;
    return (
        managers === undefined ||
        managers.some(
            ({ operation, fieldsV1 }) =>
                operation === "Apply" && fieldsV1?.["f:spec"]?.["f:replicas"] !== undefined,
        )
    );
}
