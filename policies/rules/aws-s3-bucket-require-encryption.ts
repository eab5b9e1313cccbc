import { isBucket, settingOf } from "../buckets";
import { type PolicyResource, type Rule } from "../rule";
import { eachOf, namesOwnKey } from "../selectors";
import { type Properties } from "../unknown";

export const rule: Rule = {
    name: "aws-s3-bucket-require-encryption",
    description:
        "Buckets are versioned, and encrypted under a key of the account; under S3's own where a service of AWS that takes no other writes.",
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
        if (sseAlgorithm === "AES256" && isWrittenFromOutside(bucket, resources)) {
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

/**
 * Whether somebody else than the bucket's owner writes there, known by an access list alone. ElastiCache is, which
 * no policy of a key can name.
 */
function isWrittenFromOutside(bucket: PolicyResource, resources: readonly PolicyResource[]): boolean {
    const { owner, grants = [] } = settingOf(bucket, "Acl", resources)?.props["accessControlPolicy"] ?? {};
    return grants.some(
        ({ grantee, permission }: Properties) =>
            permission === "WRITE" && grantee.type === "CanonicalUser" && grantee.id !== owner.id,
    );
}
