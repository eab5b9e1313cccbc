import { eachPod } from "../pods";
import { type Rule } from "../rule";

const NEEDS_TOKEN = "mcp.msil.com/needs-token";

export const rule: Rule = {
    name: "kubernetes-pod-disallow-token-mount",
    description: "Pods get no token for the Kubernetes API, unless they are annotated with the reason.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_38"],
    remediation: `Set automountServiceAccountToken of the pod to false, or annotate its template with ${NEEDS_TOKEN} and the reason.`,
    resource: eachPod((pod, { report }) => {
        if (
            pod.spec["automountServiceAccountToken"] !== false &&
            !pod.metadata["annotations"]?.[NEEDS_TOKEN]
        ) {
            report("mounts a token for the Kubernetes API and gives no reason");
        }
    }),
};
