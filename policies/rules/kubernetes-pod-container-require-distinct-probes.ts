import { isDeepStrictEqual } from "node:util";
import { eachServingContainer } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-container-require-distinct-probes",
    description: "Liveness and readiness probes differ, or a pod is restarted when it only needed a pause.",
    severity: "low",
    enforcement: "advisory",
    frameworks: ["kube-score:pod-probes-identical"],
    remediation: "Let readiness fail sooner than liveness, or use another path.",
    resource: eachServingContainer(({ livenessProbe, readinessProbe }, report) => {
        if (livenessProbe != null && isDeepStrictEqual(livenessProbe, readinessProbe)) {
            report("livenessProbe and readinessProbe are the same");
        }
    }),
};
