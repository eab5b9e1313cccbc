import { Bucket } from "@pulumi/aws/s3/bucket";
import { BucketLifecycleConfiguration } from "@pulumi/aws/s3/bucketLifecycleConfiguration";
import { BucketObjectLockConfiguration } from "@pulumi/aws/s3/bucketObjectLockConfiguration";
import { BucketOwnershipControls } from "@pulumi/aws/s3/bucketOwnershipControls";
import { BucketPolicy } from "@pulumi/aws/s3/bucketPolicy";
import { BucketPublicAccessBlock } from "@pulumi/aws/s3/bucketPublicAccessBlock";
import { BucketServerSideEncryptionConfiguration } from "@pulumi/aws/s3/bucketServerSideEncryptionConfiguration";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning";
import { type ComponentResource, type Input, type Resource } from "@pulumi/pulumi";
import { type PolicyStatement } from "../encryption";

/** How long nobody can delete or overwrite an object: in COMPLIANCE mode not even the account's root user. */
export interface Retention {
    mode: "GOVERNANCE" | "COMPLIANCE";
    /** Either of the two. */
    years?: number | undefined;
    days?: number | undefined;
}

/** What becomes of the objects below a prefix over time. Days are counted from an object's creation. */
export interface LifecycleRule {
    id: string;
    /** Below which the rule holds; empty for the whole bucket. */
    prefix: string;
    /** Colder storage from that day on. Default: none. */
    transitions?: readonly { days: number; storageClass: "GLACIER_IR" | "GLACIER" | "DEEP_ARCHIVE" }[];
    /** Gone after so many days. Default: kept. */
    expirationDays?: number;
    /** What was overwritten or deleted can be brought back for so many days. */
    noncurrentDays: number;
}

/** Arguments of {@link declareBucket}. */
export interface BucketArgs {
    /** Name of the bucket, in which all accounts of AWS share one namespace. */
    bucket: string;
    /** Key everything in it is encrypted with. Default: S3's own. */
    keyArn?: Input<string>;
    lifecycle: readonly LifecycleRule[];
    /** Default retention of its objects. Default: none. */
    retention?: Retention;
    /** Who else may work on it, and what they may do: services of AWS, other accounts. Default: nobody. */
    grants?: readonly (Pick<PolicyStatement, "Principal" | "Condition"> & {
        bucketActions: readonly string[];
        objectActions: readonly string[];
    })[];
    /** Refuses to delete it. */
    protect: boolean;
}

/** A statement of a bucket's policy, on the bucket, its objects or both. */
type Statement = Omit<PolicyStatement, "Resource"> & { Resource: string[] };

/** Parts of uploads that never ended go after so many days. */
const ABORTED_UPLOAD_DAYS = 7;

/** ARN of a bucket, which its name tells before it exists. */
export function bucketArn(bucket: string): string {
    return `arn:aws:s3:::${bucket}`;
}

/**
 * A private bucket: versioned, encrypted, TLS only, never public, owned by the account, with one lifecycle. Returns
 * what must exist before anything is put into it.
 */
export function declareBucket(name: string, args: BucketArgs, parent: ComponentResource): Resource[] {
    const { bucket, keyArn, lifecycle, retention, grants = [], protect } = args;
    const resource = new Bucket(
        name,
        { bucket, objectLockEnabled: retention !== undefined, forceDestroy: false },
        // S3 locks a bucket that exists by its lock configuration; the provider would make another bucket.
        { parent, protect, ignoreChanges: ["objectLockEnabled"] },
    );
    const of = { bucket: resource.bucket };
    const versioning = new BucketVersioning(
        name,
        { ...of, versioningConfiguration: { status: "Enabled" } },
        { parent },
    );
    const encryption = new BucketServerSideEncryptionConfiguration(
        name,
        {
            ...of,
            rules: [
                {
                    applyServerSideEncryptionByDefault:
                        keyArn === undefined
                            ? { sseAlgorithm: "AES256" }
                            : { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn },
                    // One call to KMS for many objects.
                    bucketKeyEnabled: keyArn !== undefined,
                },
            ],
        },
        { parent },
    );
    const block = new BucketPublicAccessBlock(
        name,
        {
            ...of,
            blockPublicAcls: true,
            blockPublicPolicy: true,
            ignorePublicAcls: true,
            restrictPublicBuckets: true,
        },
        { parent },
    );
    const ownership = new BucketOwnershipControls(
        name,
        { ...of, rule: { objectOwnership: "BucketOwnerEnforced" } },
        { parent },
    );
    const arn = bucketArn(bucket);
    const objects = `${arn}/*`;
    const statements: Statement[] = [
        {
            Sid: "TlsOnly",
            Effect: "Deny",
            Principal: "*",
            Action: "s3:*",
            Resource: [arn, objects],
            Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
    ];
    grants.forEach(({ bucketActions, objectActions, ...who }, index) => {
        const common = { Effect: "Allow", ...who } as const;
        statements.push(
            { Sid: `Bucket${index}`, ...common, Action: bucketActions, Resource: [arn] },
            { Sid: `Objects${index}`, ...common, Action: objectActions, Resource: [objects] },
        );
    });
    const policy = new BucketPolicy(
        name,
        { ...of, policy: JSON.stringify({ Version: "2012-10-17", Statement: statements }) },
        // Both change who may do what: S3 refuses one while the other is on its way.
        { parent, dependsOn: [block] },
    );
    const rules = new BucketLifecycleConfiguration(
        name,
        {
            ...of,
            rules: lifecycle.map(lifecycleRule),
            // Else S3 would leave small objects where they are.
            transitionDefaultMinimumObjectSize: "varies_by_storage_class",
        },
        // Rules for versions need versions.
        { parent, dependsOn: [versioning] },
    );
    const lock =
        retention === undefined
            ? []
            : [
                  new BucketObjectLockConfiguration(
                      name,
                      { ...of, rule: { defaultRetention: retention } },
                      { parent, protect, dependsOn: [versioning] },
                  ),
              ];
    return [versioning, encryption, block, ownership, policy, rules, ...lock];
}

function lifecycleRule({ id, prefix, transitions = [], expirationDays, noncurrentDays }: LifecycleRule) {
    return {
        id,
        status: "Enabled",
        filter: { prefix },
        transitions: [...transitions],
        ...(expirationDays === undefined ? {} : { expiration: { days: expirationDays } }),
        // On a versioned bucket an expiry only hides an object: this is what deletes it.
        noncurrentVersionExpiration: { noncurrentDays },
        abortIncompleteMultipartUpload: { daysAfterInitiation: ABORTED_UPLOAD_DAYS },
    };
}
