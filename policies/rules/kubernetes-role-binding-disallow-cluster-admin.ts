import { isKind } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-role-binding-disallow-cluster-admin",
    description: "No subject is bound to cluster-admin, which has all rights.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: ["CIS-EKS-4.1.1", "kube-linter:cluster-admin-role-binding"],
    remediation: "Bind a Role with just the rights that are needed.",
    resource(resource, { report }) {
        const isBinding = ["RoleBinding", "ClusterRoleBinding"].some((kind) =>
            isKind(resource, "rbac.authorization.k8s.io", kind),
        );
        if (isBinding && resource.props["roleRef"]?.name === "cluster-admin") {
            report("binds to cluster-admin");
        }
    },
};
