import { eachPod } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-disallow-host-network",
    description: "No pod shares the network namespace of its node.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_19", "PSS-baseline"],
    remediation: "Remove hostNetwork from the pod.",
    resource: eachPod(({ spec }, { report }) => {
        if (spec["hostNetwork"] === true) {
            report("shares the network namespace of its node");
        }
    }),
};
