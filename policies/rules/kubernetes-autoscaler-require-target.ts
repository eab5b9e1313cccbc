import { isKind } from "../pods";
import { type Rule } from "../rule";
import { eachOf, findOf, scales } from "../selectors";

export const rule: Rule = {
    name: "kubernetes-autoscaler-require-target",
    description: "An autoscaler has something to scale.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["kube-score:horizontalpodautoscaler-has-target"],
    remediation: "Let scaleTargetRef name an object of the stack.",
    stack: eachOf(
        (resource) => isKind(resource, "autoscaling", "HorizontalPodAutoscaler"),
        (autoscaler, resources, { report }) => {
            if (findOf(resources, (resource) => scales(autoscaler, resource)) === undefined) {
                const { kind, name } = autoscaler.props["spec"]?.scaleTargetRef ?? {};
                report(`scales ${kind} ${name}, which the stack does not declare`);
            }
        },
    ),
};
