import { isKind } from "../pods";
import { type Rule } from "../rule";

const LISTS = ["apiGroups", "resources", "verbs", "nonResourceURLs"];

export const rule: Rule = {
    name: "kubernetes-role-disallow-wildcard",
    description: "Roles name the objects they allow, and what may be done with them.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_49", "kube-linter:wildcard-in-rules"],
    remediation: "List the API groups, the resources and the verbs.",
    resource(resource, { report, attempt }) {
        if (!["Role", "ClusterRole"].some((kind) => isKind(resource, "rbac.authorization.k8s.io", kind))) {
            return;
        }
        const rules = resource.props["rules"] ?? [];
        for (const index of Object.keys(rules)) {
            for (const list of LISTS) {
                attempt(() => {
                    for (const entry of rules[index][list] ?? []) {
                        if (String(entry).includes("*")) {
                            report(`rules.${index}.${list} has ${entry}`);
                        }
                    }
                });
            }
        }
    },
};
