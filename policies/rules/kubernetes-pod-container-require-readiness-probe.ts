import { eachServingContainer } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-container-require-readiness-probe",
    description:
        "Every serving container has a readiness probe, so that no request reaches one that cannot take it.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_9"],
    remediation: "Set readinessProbe of the container.",
    resource: eachServingContainer((container, report) => {
        if (container["readinessProbe"] == null) {
            report("has no readinessProbe");
        }
    }),
};
