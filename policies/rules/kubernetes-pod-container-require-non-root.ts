import { eachContainer, readsNodeLogs, securitySetting } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-container-require-non-root",
    description:
        "No container runs as root, but that of a DaemonSet which is annotated to read its node's logs.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_23", "PSS-restricted"],
    remediation: "Set securityContext.runAsNonRoot to true, on the pod or the container.",
    resource: eachContainer((container, report, pod, resource) => {
        const found = securitySetting(container, pod, "runAsNonRoot");
        if (found !== true && !readsNodeLogs(pod, resource)) {
            report(`runAsNonRoot is ${found ?? "not set"}, expected true`);
        }
    }),
};
