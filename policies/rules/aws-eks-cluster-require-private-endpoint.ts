import { type Rule } from "../rule";
import { isCluster } from "../selectors";

export const rule: Rule = {
    name: "aws-eks-cluster-require-private-endpoint",
    description: "The API server of an EKS cluster is reached from within its VPC only.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_38", "CKV_AWS_39", "AwsSolutions-EKS1"],
    remediation: "Set vpcConfig.endpointPrivateAccess to true and vpcConfig.endpointPublicAccess to false.",
    resource(resource, { report, attempt }) {
        if (!isCluster(resource)) {
            return;
        }
        const expected = { endpointPrivateAccess: true, endpointPublicAccess: false };
        for (const [key, value] of Object.entries(expected)) {
            attempt(() => {
                const found = resource.props["vpcConfig"]?.[key];
                if (found !== value) {
                    report(`vpcConfig.${key} is ${found ?? "not set"}, expected ${value}`);
                }
            });
        }
    },
};
