import { eachContainer } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-container-disallow-host-port",
    description: "No container takes a port of its node.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_26", "PSS-baseline"],
    remediation: "Remove hostPort and let a Service lead to the container.",
    resource: eachContainer((container, report) => {
        for (const { hostPort } of container["ports"] ?? []) {
            // 0 means none.
            if (hostPort) {
                report(`takes port ${hostPort} of its node`);
            }
        }
    }),
};
