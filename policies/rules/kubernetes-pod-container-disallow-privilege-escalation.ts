import { eachContainer } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-container-disallow-privilege-escalation",
    description: "No process of a container can gain more rights than its parent.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_20", "PSS-restricted"],
    remediation: "Set securityContext.allowPrivilegeEscalation of the container to false.",
    resource: eachContainer((container, report) => {
        if (container["securityContext"]?.allowPrivilegeEscalation !== false) {
            report("allows privilege escalation");
        }
    }),
};
