import { isLogGroup } from "../logs";
import { type Rule } from "../rule";
import { eachOf, namesOwnKey } from "../selectors";

export const rule: Rule = {
    name: "aws-cloudwatch-log-group-require-encryption",
    description: "Log groups are encrypted under a key of the account.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_158"],
    remediation: "Set kmsKeyId to a key of the stack that admits CloudWatch Logs to the group.",
    stack: eachOf(isLogGroup, (group, _resources, { report }) => {
        if (!namesOwnKey(group, "kmsKeyId")) {
            report("is not encrypted under a key of the account");
        }
    }),
};
