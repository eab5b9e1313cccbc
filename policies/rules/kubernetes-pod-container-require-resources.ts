import { eachContainer } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-container-require-resources",
    description: "Containers state the CPU and memory they request and are limited to.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_10", "CKV_K8S_11", "CKV_K8S_12", "CKV_K8S_13"],
    remediation: "Set resources.requests and resources.limits of the container, each with cpu and memory.",
    resource: eachContainer((container, report) => {
        for (const bound of ["requests", "limits"]) {
            for (const quantity of ["cpu", "memory"]) {
                if (container["resources"]?.[bound]?.[quantity] == null) {
                    report(`resources.${bound}.${quantity} is not set`);
                }
            }
        }
    }),
};
