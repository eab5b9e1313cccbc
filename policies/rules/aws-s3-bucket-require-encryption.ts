import { isBucket, settingOf } from "../buckets";
import { type PolicyResource, type Rule } from "../rule";
import { eachOf, namesOwnKey } from "../selectors";
import { asList, statementsOf } from "../statements";

export const rule: Rule = {
    name: "aws-s3-bucket-require-encryption",
    description:
        "Buckets are versioned, and encrypted under a key of the account; under S3's own where ElastiCache exports to, which takes no other.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_21", "CKV_AWS_145"],
    remediation:
        "Declare a BucketVersioning that is Enabled, and a BucketServerSideEncryptionConfiguration with aws:kms and a key of the stack.",
    stack: eachOf(isBucket, (bucket, resources, { report, attempt }) => {
        attempt(() => {
            const { status } =
                settingOf(bucket, "Versioning", resources)?.props["versioningConfiguration"] ?? {};
            if (status !== "Enabled") {
                report("is not versioned");
            }
        });
        const encryption = settingOf(bucket, "ServerSideEncryptionConfiguration", resources);
        const { sseAlgorithm } = encryption?.props["rules"]?.[0]?.applyServerSideEncryptionByDefault ?? {};
        if (sseAlgorithm === "AES256" && isWrittenByElastiCache(bucket, resources)) {
            return;
        }
        if (
            !/^aws:kms(:dsse)?$/.test(sseAlgorithm) ||
            !namesOwnKey(encryption!, "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId")
        ) {
            report("is not encrypted under a key of the account");
        }
    }),
};

/** ElastiCache's principal, in any region. */
const EXPORTER = /^[a-z0-9-]+\.elasticache-snapshot\.amazonaws\.com$/;

/** Whether ElastiCache exports to a bucket, by its policy. It cannot restore from one with a customer key. */
function isWrittenByElastiCache(bucket: PolicyResource, resources: readonly PolicyResource[]): boolean {
    const policy = settingOf(bucket, "Policy", resources)?.props["policy"];
    return statementsOf(policy, "Allow").some(
        ({ Principal, Action }) =>
            EXPORTER.test(String(Principal?.Service)) && asList(Action).includes("s3:PutObject"),
    );
}
