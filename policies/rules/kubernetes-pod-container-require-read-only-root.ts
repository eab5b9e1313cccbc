import { eachContainer } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-container-require-read-only-root",
    description: "No container can write to its root filesystem.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_22", "kube-linter:no-read-only-root-fs"],
    remediation:
        "Set securityContext.readOnlyRootFilesystem of the container to true, and mount an emptyDir where it must write.",
    resource: eachContainer((container, report) => {
        if (container["securityContext"]?.readOnlyRootFilesystem !== true) {
            report("can write to its root filesystem");
        }
    }),
};
