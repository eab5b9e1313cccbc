import { podOf } from "../pods";
import { type Rule } from "../rule";
import { covers, selectorsOf } from "../selectors";

export const rule: Rule = {
    name: "kubernetes-pod-require-network-policy",
    description: "A NetworkPolicy of its namespace covers every pod, for ingress and for egress.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CIS-EKS-4.3.2", "CKV2_K8S_6"],
    remediation: "Declare a NetworkPolicy whose podSelector matches the pod's labels.",
    stack(resources, verdict) {
        const policies = selectorsOf(resources, "networking.k8s.io", "NetworkPolicy", (spec) => spec["podSelector"]);
        for (const resource of resources) {
            verdict.attempt(() => {
                const pod = podOf(resource);
                if (pod === undefined) {
                    return;
                }
                const namespace = resource.props["metadata"].namespace;
                for (const direction of ["Ingress", "Egress"]) {
                    const covered = policies.some(
                        (policy) =>
                            policy.namespace === namespace &&
                            policy.spec["policyTypes"]?.includes(direction) &&
                            covers(policy.selector, pod.metadata["labels"] ?? {}),
                    );
                    if (!covered) {
                        verdict.report(`no NetworkPolicy covers its ${direction.toLowerCase()}`, resource);
                    }
                }
            }, resource);
        }
    },
};
