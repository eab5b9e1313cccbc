import { eachContainer, securitySetting } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-container-require-seccomp",
    description: "Containers run under the runtime's own seccomp profile.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_31", "PSS-restricted"],
    remediation:
        'Set securityContext.seccompProfile to { type: "RuntimeDefault" }, on the pod or the container.',
    resource: eachContainer((container, report, pod) => {
        const found = securitySetting(container, pod, "seccompProfile")?.type;
        if (found !== "RuntimeDefault") {
            report(`seccompProfile is ${found ?? "not set"}, expected RuntimeDefault`);
        }
    }),
};
