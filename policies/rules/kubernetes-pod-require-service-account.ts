import { eachPod } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-require-service-account",
    description: "Pods run as a dedicated ServiceAccount.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_41"],
    remediation: "Declare a ServiceAccount and set serviceAccountName of the pod.",
    resource: eachPod(({ spec }, { report }) => {
        const found = spec["serviceAccountName"] ?? "default";
        if (found === "default") {
            report("runs as the default ServiceAccount of its namespace");
        }
    }),
};
