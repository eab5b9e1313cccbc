import { declaresPods, isKind } from "../pods";
import { type PolicyResource, type Rule } from "../rule";

/** Namespaced kinds, in addition to those with pods. */
const NAMESPACED = [
    ["autoscaling", "HorizontalPodAutoscaler"],
    ["core", "ConfigMap"],
    ["core", "LimitRange"],
    ["core", "PersistentVolumeClaim"],
    ["core", "ResourceQuota"],
    ["core", "Secret"],
    ["core", "Service"],
    ["core", "ServiceAccount"],
    ["networking.k8s.io", "Ingress"],
    ["networking.k8s.io", "NetworkPolicy"],
    ["policy", "PodDisruptionBudget"],
    ["rbac.authorization.k8s.io", "Role"],
    ["rbac.authorization.k8s.io", "RoleBinding"],
] as const;

const isNamespaced = (resource: PolicyResource) =>
    declaresPods(resource) || NAMESPACED.some(([group, kind]) => isKind(resource, group, kind));

export const rule: Rule = {
    name: "kubernetes-object-disallow-default-namespace",
    description: "No object is in the default namespace, which has no quota and no policy.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_21"],
    remediation: "Set metadata.namespace to the namespace of the stack.",
    resource(resource, { report }) {
        if (isNamespaced(resource) && (resource.props["metadata"]?.namespace ?? "default") === "default") {
            report("is in the default namespace");
        }
    },
};
