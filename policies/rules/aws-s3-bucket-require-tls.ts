import { bucketArnOf, isBucket, settingOf } from "../buckets";
import { type Rule } from "../rule";
import { eachOf } from "../selectors";
import { asList, refusesPlaintext, statementsOf } from "../statements";

const EVERYTHING = /^(s3:\*|\*)$/i;

export const rule: Rule = {
    name: "aws-s3-bucket-require-tls",
    description: "Buckets and their objects are reached over TLS only.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_379", "AwsSolutions-S10"],
    remediation:
        "Declare a BucketPolicy that denies s3:* on the bucket and on its objects without aws:SecureTransport.",
    stack: eachOf(isBucket, (bucket, resources, { report }) => {
        const policy = settingOf(bucket, "Policy", resources)?.props["policy"];
        const refused = statementsOf(policy, "Deny")
            .filter((deny) => refusesPlaintext(deny, EVERYTHING))
            .flatMap(({ Resource }) => asList(Resource));
        const arn = bucketArnOf(bucket);
        if (!refused.includes(arn) || !refused.includes(`${arn}/*`)) {
            report("no policy denies it and its objects without TLS");
        }
    }),
};
