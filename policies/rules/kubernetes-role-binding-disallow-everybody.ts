import { isKind } from "../pods";
import { type Rule } from "../rule";
import { type Properties } from "../unknown";

/** Groups and users that include anonymous or all subjects, and the superuser group. */
const EVERYBODY = /^system:(authenticated|unauthenticated|anonymous|masters|serviceaccounts(:.+)?)$/;

export const rule: Rule = {
    name: "kubernetes-role-binding-disallow-everybody",
    description: "Roles are bound to named subjects, not to everyone.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: ["CIS-EKS-4.1.7", "CKV_K8S_49"],
    remediation: "Bind the role to the ServiceAccount, user or group that needs it.",
    resource(resource, { report, attempt }) {
        if (
            !["RoleBinding", "ClusterRoleBinding"].some((kind) =>
                isKind(resource, "rbac.authorization.k8s.io", kind),
            )
        ) {
            return;
        }
        const subjects: Properties = resource.props["subjects"] ?? [];
        for (const index of Object.keys(subjects)) {
            attempt(() => {
                const { name } = subjects[index];
                if (EVERYBODY.test(String(name))) {
                    report(`is bound to ${name}`);
                }
            });
        }
    },
};
