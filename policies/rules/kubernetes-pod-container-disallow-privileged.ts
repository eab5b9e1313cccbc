import { eachContainer } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-container-disallow-privileged",
    description: "No container is privileged.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_16", "PSS-baseline", "CIS-EKS-4.2.1"],
    remediation: "Remove securityContext.privileged, or set it to false.",
    resource: eachContainer((container, report) => {
        if (container["securityContext"]?.privileged === true) {
            report("is privileged");
        }
    }),
};
