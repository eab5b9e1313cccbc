import { ENVIRONMENT_LABEL } from "../../core/labels";
import { isKind } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-autoscaler-require-minimum",
    description: "An autoscaler keeps at least two replicas outside of staging, and one there.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["kube-score:horizontalpodautoscaler-replicas"],
    remediation: "Set minReplicas to 2 or more, in staging to 1.",
    resource(resource, { report }) {
        if (!isKind(resource, "autoscaling", "HorizontalPodAutoscaler")) {
            return;
        }
        const found = resource.props["spec"]?.minReplicas ?? 1;
        const isStaging = resource.props["metadata"]?.labels?.[ENVIRONMENT_LABEL] === "staging";
        const expected = isStaging ? 1 : 2;
        if (found < expected) {
            report(`minReplicas is ${found}, expected ${expected} or more`);
        }
    },
};
