import { isKind } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-service-disallow-node-port",
    description:
        "Services are reached through the ingress only: none opens ports of the nodes or a load balancer.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["kube-linter:exposed-services", "kube-score:service-type"],
    remediation: "Set type to ClusterIP.",
    resource(resource, { report }) {
        if (!isKind(resource, "core", "Service")) {
            return;
        }
        const found = resource.props["spec"]?.type;
        if (found === "NodePort" || found === "LoadBalancer") {
            report(`type is ${found}, expected ClusterIP`);
        }
    },
};
