import { isReplicationGroup } from "../caches";
import { type Rule } from "../rule";
import { eachOf, isGiven } from "../selectors";

export const rule: Rule = {
    name: "aws-elasticache-replication-group-require-encryption",
    description: "Redis is encrypted at rest and in transit, and requires a token or a user.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_29", "CKV_AWS_30", "CKV_AWS_31", "AwsSolutions-AEC3", "AwsSolutions-AEC6"],
    remediation:
        "Set atRestEncryptionEnabled and transitEncryptionEnabled to true, transitEncryptionMode to required, and authToken or userGroupIds.",
    stack: eachOf(isReplicationGroup, (group, _resources, { report, attempt }) => {
        attempt(() => {
            if (String(group.props["atRestEncryptionEnabled"]) !== "true") {
                report("is not encrypted on its disk");
            }
        });
        attempt(() => {
            const { transitEncryptionEnabled, transitEncryptionMode = "required" } = group.props;
            if (transitEncryptionEnabled !== true || transitEncryptionMode !== "required") {
                report("takes connections without TLS");
            }
        });
        if (!isGiven(group, "authToken") && !isGiven(group, "userGroupIds")) {
            report("lets anybody in");
        }
    }),
};
