import { type Rule } from "../rule";
import { isCluster } from "../selectors";

const LOGS = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

export const rule: Rule = {
    name: "aws-eks-cluster-require-control-plane-logs",
    description: "The control plane of an EKS cluster writes all of its logs.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_37", "AwsSolutions-EKS2"],
    remediation: `Set enabledClusterLogTypes to ${LOGS.join(", ")}.`,
    resource(resource, { report }) {
        if (!isCluster(resource)) {
            return;
        }
        const enabled: string[] = resource.props["enabledClusterLogTypes"] ?? [];
        for (const log of LOGS.filter((log) => !enabled.includes(log))) {
            report(`does not write the log ${log}`);
        }
    },
};
