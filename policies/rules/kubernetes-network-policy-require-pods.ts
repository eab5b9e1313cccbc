import { isKind } from "../pods";
import { type Rule } from "../rule";
import { covers, eachOf, findOf, selects } from "../selectors";

export const rule: Rule = {
    name: "kubernetes-network-policy-require-pods",
    description: "Every NetworkPolicy selects a pod of the stack, or all of its namespace.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["kube-linter:dangling-networkpolicy", "kube-score:networkpolicy-targets-pod"],
    remediation: "Let podSelector match the labels of the pods it is meant for.",
    stack: eachOf(
        (resource) => isKind(resource, "networking.k8s.io", "NetworkPolicy"),
        (policy, resources, { report }) => {
            const selector = policy.props["spec"]?.podSelector ?? {};
            const selectsAll =
                covers(selector, {}) && Object.keys(selector.matchExpressions ?? {}).length === 0;
            if (
                !selectsAll &&
                findOf(resources, (resource) => selects(policy, selector, resource)) === undefined
            ) {
                report("selects no pod of the stack");
            }
        },
    ),
};
