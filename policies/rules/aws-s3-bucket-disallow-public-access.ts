import { isBucket, settingOf } from "../buckets";
import { type Rule } from "../rule";
import { eachOf } from "../selectors";

const BLOCKS = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

export const rule: Rule = {
    name: "aws-s3-bucket-disallow-public-access",
    description: "No bucket can be made public by an access list or a policy.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_53", "CKV_AWS_54", "CKV_AWS_55", "CKV_AWS_56", "AwsSolutions-S2"],
    remediation: `Declare a BucketPublicAccessBlock with ${BLOCKS.join(", ")} true.`,
    stack: eachOf(isBucket, (bucket, resources, { report, attempt }) => {
        const block = settingOf(bucket, "PublicAccessBlock", resources);
        for (const key of BLOCKS) {
            attempt(() => {
                if (block?.props[key] !== true) {
                    report(`${key} is not true`);
                }
            });
        }
    }),
};
