import { isKind } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-ingress-disallow-snippets",
    description:
        "No annotation of an Ingress injects configuration into its controller, which would have the controller's " +
        "rights.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_152", "CKV_K8S_153", "CKV_K8S_154"],
    remediation: "Remove the snippet, and use an annotation of the controller for what it does.",
    resource(resource, { report }) {
        if (!isKind(resource, "networking.k8s.io", "Ingress")) {
            return;
        }
        // The snippet's content does not matter, and may be unknown.
        for (const key of Object.keys(resource.props["metadata"]?.annotations ?? {})) {
            if (/-snippets?$/.test(key)) {
                report(`has the annotation ${key}`);
            }
        }
    },
};
