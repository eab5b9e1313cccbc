import { eachServingContainer } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-container-require-liveness-probe",
    description: "Every serving container has a liveness probe, so that one that hangs is restarted.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_8"],
    remediation: "Set livenessProbe of the container.",
    resource: eachServingContainer((container, report) => {
        if (container["livenessProbe"] == null) {
            report("has no livenessProbe");
        }
    }),
};
