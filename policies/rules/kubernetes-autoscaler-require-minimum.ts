import { isKind } from "../pods";
import { type Rule } from "../rule";
import { isTrial } from "../selectors";

export const rule: Rule = {
    name: "kubernetes-autoscaler-require-minimum",
    description: "An autoscaler keeps at least two replicas, and one in a trial.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["kube-score:horizontalpodautoscaler-replicas"],
    remediation: "Set minReplicas to 2 or more, in a trial to 1.",
    resource(resource, { report }) {
        if (!isKind(resource, "autoscaling", "HorizontalPodAutoscaler")) {
            return;
        }
        const found = resource.props["spec"]?.minReplicas ?? 1;
        const expected = isTrial(resource) ? 1 : 2;
        if (found < expected) {
            report(`minReplicas is ${found}, expected ${expected} or more`);
        }
    },
};
