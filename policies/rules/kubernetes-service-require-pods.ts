import { isKind } from "../pods";
import { type Rule } from "../rule";
import { eachOf, findOf, selects } from "../selectors";

export const rule: Rule = {
    name: "kubernetes-service-require-pods",
    description: "Every Service selects a pod of the stack.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["kube-linter:dangling-service", "kube-score:service-targets-pod"],
    remediation: "Let selector match the labels of the pods it is meant for.",
    stack: eachOf(
        (resource) => isKind(resource, "core", "Service"),
        (service, resources, { report }) => {
            const { selector, type } = service.props["spec"] ?? {};
            if (type === "ExternalName") {
                return;
            }
            // Unlike elsewhere, an empty selector selects nothing.
            if (Object.keys(selector ?? {}).length === 0) {
                report("has no selector");
            } else if (
                findOf(resources, (resource) => selects(service, { matchLabels: selector }, resource)) ===
                undefined
            ) {
                report("selects no pod of the stack");
            }
        },
    ),
};
