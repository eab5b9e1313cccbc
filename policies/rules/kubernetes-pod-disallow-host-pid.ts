import { eachPod } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-disallow-host-pid",
    description: "No pod shares the process namespace of its node.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_17", "PSS-baseline"],
    remediation: "Remove hostPID from the pod.",
    resource: eachPod(({ spec }, { report }) => {
        if (spec["hostPID"] === true) {
            report("shares the process namespace of its node");
        }
    }),
};
