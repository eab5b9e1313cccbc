import { eachPod } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-disallow-host-ipc",
    description: "No pod shares the IPC namespace of its node.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_18", "PSS-baseline"],
    remediation: "Remove hostIPC from the pod.",
    resource: eachPod(({ spec }, { report }) => {
        if (spec["hostIPC"] === true) {
            report("shares the IPC namespace of its node");
        }
    }),
};
