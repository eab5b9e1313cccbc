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

/**
 * Object Lock: until its retention ends, an object cannot be deleted or overwritten, in COMPLIANCE mode not even by the
 * account's root user.
 */
export interface Retention {
    mode: "GOVERNANCE" | "COMPLIANCE";
    /** Exactly one of the two. */
    years?: number | undefined;
    days?: number | undefined;
}

/** Lifecycle of the objects below a prefix. Days count from an object's creation. */
export interface LifecycleRule {
    id: string;
    /** Prefix of the objects; empty for the whole bucket. */
    prefix: string;
    /** Days until a colder storage class. Default: none. */
    transitions?: readonly { days: number; storageClass: "GLACIER_IR" | "GLACIER" | "DEEP_ARCHIVE" }[];
    /** Days until expiry. Default: kept. */
    expirationDays?: number;
    /** Days for which overwritten or deleted objects can be restored. */
    noncurrentDays: number;
}

/** Arguments of {@link declareBucket}. */
export interface BucketArgs {
    /** Name of the bucket, globally unique. */
    bucket: string;
    /** Encryption key. Default: S3's own. */
    keyArn?: Input<string>;
    lifecycle: readonly LifecycleRule[];
    /** Default Object Lock of its objects. Default: none. */
    retention?: Retention;
    /** Rights of AWS services and other accounts. Default: none. */
    grants?: readonly (Pick<PolicyStatement, "Principal" | "Condition"> & {
        bucketActions: readonly string[];
        objectActions: readonly string[];
    })[];
    /** Refuses to delete it. */
    protect: boolean;
}

/** A statement of a bucket's policy, on the bucket, its objects or both. */
type Statement = Omit<PolicyStatement, "Resource"> & { Resource: string[] };

/** Days until parts of incomplete uploads are removed. */
const ABORTED_UPLOAD_DAYS = 7;

/** ARN of a bucket, built from its name before it exists. */
export function bucketArn(bucket: string): string {
    return `arn:aws:s3:::${bucket}`;
}

/**
 * A private bucket: versioned, encrypted, TLS only, never public, owned by the account, with one lifecycle. Returns
 * what must exist before objects are written.
 */
export function declareBucket(name: string, args: BucketArgs, parent: ComponentResource): Resource[] {
    const { bucket, keyArn, lifecycle, retention, grants = [], protect } = args;
    const resource = new Bucket(
        name,
        { bucket, objectLockEnabled: retention !== undefined, forceDestroy: false },
        // The lock configuration locks an existing bucket; the property of the bucket would replace it.
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
                    // One KMS call for many objects.
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
        // S3 refuses concurrent changes of the policy and the public access block.
        { parent, dependsOn: [block] },
    );
    const rules = new BucketLifecycleConfiguration(
        name,
        {
            ...of,
            rules: lifecycle.map(lifecycleRule),
            // Otherwise S3 would not transition small objects.
            transitionDefaultMinimumObjectSize: "varies_by_storage_class",
        },
        // Rules for versions need versioning.
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
        // On a versioned bucket, an expiry only adds a delete marker: this rule deletes the version.
        noncurrentVersionExpiration: { noncurrentDays },
        abortIncompleteMultipartUpload: { daysAfterInitiation: ABORTED_UPLOAD_DAYS },
    };
}
