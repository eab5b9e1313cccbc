import { isKind } from "../pods";
import { type Rule } from "../rule";
import { type Properties } from "../unknown";

/** Verbs with which a subject raises its own rights. */
const ESCALATING = ["bind", "escalate", "impersonate"];
/** Resources with which a subject runs commands as another, or impersonates it, with any verb. */
const POWERFUL =
    /^(pods\/(exec|attach|portforward|ephemeralcontainers|proxy)|nodes\/.+|services\/proxy|serviceaccounts\/token|certificatesigningrequests(\/.+)?|(mutating|validating)webhookconfigurations)$/;
/** Resources that only deployers may write: their pods may run as any ServiceAccount. */
const DEPLOYED =
    /^(nodes|pods|deployments|daemonsets|statefulsets|replicasets|jobs|cronjobs|roles|rolebindings|clusterroles|clusterrolebindings|secrets)$/;
const WRITES = ["create", "update", "patch", "delete", "deletecollection"];

export const rule: Rule = {
    name: "kubernetes-role-disallow-escalation",
    description:
        "No role reads all Secrets, runs commands in pods, or can give itself more rights than it has.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: ["CIS-EKS-4.1.2", "CIS-EKS-4.1.4", "CKV_K8S_155", "CKV_K8S_157", "CKV_K8S_158"],
    remediation: "Name the one Secret in resourceNames, or take the verb or the resource out.",
    resource(resource, { report, attempt }) {
        if (!["Role", "ClusterRole"].some((kind) => isKind(resource, "rbac.authorization.k8s.io", kind))) {
            return;
        }
        const rules: Properties = resource.props["rules"] ?? [];
        for (const index of Object.keys(rules)) {
            attempt(() => {
                const { verbs = [], resources = [], resourceNames = [] } = rules[index];
                const named = resourceNames.length > 0;
                for (const verb of verbs.filter((each: string) => ESCALATING.includes(each))) {
                    report(`rules.${index} allows ${verb}`);
                }
                for (const kind of resources.map(String)) {
                    const writes = verbs.filter((verb: string) => WRITES.includes(verb));
                    if (POWERFUL.test(kind)) {
                        report(`rules.${index} allows ${verbs.join(", ")} on ${kind}`);
                    } else if (kind === "secrets" && !named) {
                        report(`rules.${index} allows ${verbs.join(", ")} on every Secret`);
                    } else if (DEPLOYED.test(kind) && writes.length > 0 && !named) {
                        report(`rules.${index} allows ${writes.join(", ")} on all ${kind}`);
                    }
                }
            });
        }
    },
};
