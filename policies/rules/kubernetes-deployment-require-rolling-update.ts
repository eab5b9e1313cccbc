import { isDeployment } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-deployment-require-rolling-update",
    description: "Deployments are updated step by step, and no pod goes before its successor is ready.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["kube-linter:no-rolling-update-strategy"],
    remediation: 'Set strategy to { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0 } }.',
    resource(resource, { report }) {
        if (!isDeployment(resource)) {
            return;
        }
        const { type = "RollingUpdate", rollingUpdate } = resource.props["spec"]?.strategy ?? {};
        if (type !== "RollingUpdate") {
            report(`strategy is ${type}, expected RollingUpdate`);
            return;
        }
        const found = rollingUpdate?.maxUnavailable ?? "not set";
        if (found !== 0 && found !== "0%") {
            report(`maxUnavailable is ${found}, expected 0`);
        }
    },
};
