import { declaresPods, isKind } from "../pods";
import { type Rule } from "../rule";
import { eachOf, findOf, selects } from "../selectors";
import { type Properties } from "../unknown";

export const rule: Rule = {
    name: "kubernetes-pod-require-network-policy",
    description: "A NetworkPolicy of its namespace covers every pod, for ingress and for egress.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CIS-EKS-4.3.2", "CKV2_K8S_6"],
    remediation: "Declare a NetworkPolicy whose podSelector matches the pod's labels.",
    stack: eachOf(declaresPods, (pods, resources, { report, attempt }) => {
        const policies = resources.filter((resource) =>
            isKind(resource, "networking.k8s.io", "NetworkPolicy"),
        );
        for (const direction of ["Ingress", "Egress"]) {
            attempt(() => {
                const covering = findOf(policies, (policy) => {
                    const spec = policy.props["spec"] ?? {};
                    return typesOf(spec).includes(direction) && selects(policy, spec.podSelector ?? {}, pods);
                });
                if (covering === undefined) {
                    report(`no NetworkPolicy covers its ${direction.toLowerCase()}`);
                }
            });
        }
    }),
};

/** Kubernetes derives unset directions from the rules. */
function typesOf({ policyTypes, egress }: Properties): string[] {
    return policyTypes ?? (egress == null ? ["Ingress"] : ["Ingress", "Egress"]);
}
