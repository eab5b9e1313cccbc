import { type Rule } from "../rule";
import { eachOf, isCluster, isGiven } from "../selectors";

export const rule: Rule = {
    name: "aws-eks-cluster-require-secret-encryption",
    description: "The Secrets of an EKS cluster are encrypted under a key of the account.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_58"],
    remediation: 'Set encryptionConfig to { resources: ["secrets"], provider: { keyArn } }.',
    stack: eachOf(isCluster, (cluster, _resources, { report }) => {
        const resources: string[] = cluster.props["encryptionConfig"]?.resources ?? [];
        if (!resources.includes("secrets") || !isGiven(cluster, "encryptionConfig.provider.keyArn")) {
            report("does not encrypt its Secrets under a key of the account");
        }
    }),
};
