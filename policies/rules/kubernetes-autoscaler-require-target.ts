import { ENVIRONMENT_LABEL } from "../../components/labels";
import { isKind } from "../pods";
import { type Rule } from "../rule";
import { eachOf, findOf, scales } from "../selectors";

export const rule: Rule = {
    name: "kubernetes-autoscaler-require-target",
    description: "An autoscaler has something to scale, and keeps two replicas of it outside of staging.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["kube-score:horizontalpodautoscaler-has-target"],
    remediation: "Let scaleTargetRef name an object of the stack and set minReplicas.",
    stack: eachOf(
        (resource) => isKind(resource, "autoscaling", "HorizontalPodAutoscaler"),
        (autoscaler, resources, { report, attempt }) => {
            attempt(() => {
                if (findOf(resources, (resource) => scales(autoscaler, resource)) === undefined) {
                    const { kind, name } = autoscaler.props["spec"]?.scaleTargetRef ?? {};
                    report(`scales ${kind} ${name}, which the stack does not declare`);
                }
            });
            const found = autoscaler.props["spec"]?.minReplicas ?? 1;
            const isStaging = autoscaler.props["metadata"]?.labels?.[ENVIRONMENT_LABEL] === "staging";
            const expected = isStaging ? 1 : 2;
            if (found < expected) {
                report(`minReplicas is ${found}, expected ${expected} or more`);
            }
        },
    ),
};
