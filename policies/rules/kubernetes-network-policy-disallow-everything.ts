import { EVERYWHERE, rangeOf } from "../../core/addresses";
import { isKind } from "../pods";
import { type Rule } from "../rule";
import { type Properties } from "../unknown";

/** Whether a peer includes everything: no peer, all addresses, or all pods of all namespaces. */
function isEverybody({ ipBlock, podSelector, namespaceSelector }: Properties): boolean {
    if (ipBlock !== undefined) {
        const range = rangeOf(String(ipBlock.cidr));
        return EVERYWHERE.some(
            ({ family, to }) => range?.family === family && range.from === 0n && range.to === to,
        );
    }
    const isEmpty = (selector: Properties | undefined) =>
        Object.keys(selector?.["matchLabels"] ?? {}).length === 0 &&
        (selector?.["matchExpressions"] ?? []).length === 0;
    return namespaceSelector === undefined
        ? podSelector === undefined
        : isEmpty(namespaceSelector) && isEmpty(podSelector);
}

export const rule: Rule = {
    name: "kubernetes-network-policy-disallow-everything",
    description: "NetworkPolicies name who may connect, and to which peers or ports pods may.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CIS-EKS-4.3.2"],
    remediation: "Name the peers of each ingress rule, and the peers or the ports of each egress rule.",
    resource(resource, { report, attempt }) {
        if (!isKind(resource, "networking.k8s.io", "NetworkPolicy")) {
            return;
        }
        const spec = resource.props["spec"] ?? {};
        const each = (list: string, check: (entry: Properties, index: string) => void) => {
            attempt(() => {
                const entries: Properties = spec[list] ?? [];
                for (const index of Object.keys(entries)) {
                    attempt(() => check(entries[index], index));
                }
            });
        };
        each("ingress", ({ from = [] }, index) => {
            if (from.length === 0 || from.some(isEverybody)) {
                report(`ingress.${index} lets everybody in`);
            }
        });
        each("egress", ({ to = [], ports = [] }, index) => {
            if (ports.length === 0 && (to.length === 0 || to.some(isEverybody))) {
                report(`egress.${index} lets pods connect to everything`);
            }
        });
    },
};
