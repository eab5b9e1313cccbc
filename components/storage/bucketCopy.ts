import { BucketReplicationConfig } from "@pulumi/aws/s3/bucketReplicationConfig";
import {
    ComponentResource,
    type ComponentResourceOptions,
    type Input,
    type ProviderResource,
    type Resource,
} from "@pulumi/pulumi";
import { COPY_MINUTES, COPY_RULE } from "../../core/copies";
import { declareKey, KEEP_KEY } from "../encryption";
import { declareServiceRole } from "../identity/serviceRole";
import { bucketArn, declareBucket, type LifecycleRule, type Retention } from "./bucket";

/** Provider of a second region, and its account. */
export interface Elsewhere {
    region: string;
    accountId: string;
    provider: ProviderResource;
}

/** Arguments of {@link BucketCopy}. */
export interface BucketCopyArgs {
    accountId: string;
    region: string;
    /** The source bucket, its key, and what must exist before. It is versioned. */
    source: { bucket: string; keyArn: Input<string>; ready: readonly Resource[] };
    elsewhere: Elsewhere;
    /** Name of the copy. */
    bucket: string;
    /** Lifecycle of the copies: deletions at the source are not copied. */
    lifecycle: readonly LifecycleRule[];
    /** Default Object Lock of the copies. A copy of a locked object has the lock of its source. Default: none. */
    retention?: Retention | undefined;
    /** Description of the copied objects. */
    description: string;
    /** Denies deletion of the copy's key for all principals. Default: false. */
    keepKey?: boolean;
    /** Refuses to delete the copy and its key. */
    protect: boolean;
}

/**
 * Copies a bucket to a second region: each new object within {@link COPY_MINUTES} minutes, with a key of that region,
 * including its Object Lock. Deletions are not copied, so that a mistake or an intruder at the source cannot remove
 * copies; the copy's lifecycle does. Objects older than the replication are not copied.
 */
export class BucketCopy extends ComponentResource {
    constructor(name: string, args: BucketCopyArgs, opts?: ComponentResourceOptions) {
        super("mcp:storage:BucketCopy", name, {}, opts);
        const { source, elsewhere, bucket, accountId, protect } = args;
        const replica = new Replica(
            `${name}-replica`,
            { ...args, role: name, accountId: elsewhere.accountId, sourceAccountId: accountId },
            { parent: this, providers: [elsewhere.provider] },
        );
        const [sourceArn, copyArn] = [bucketArn(source.bucket), bucketArn(bucket)];
        const through = (region: string) => ({
            StringEquals: { "kms:ViaService": `s3.${region}.amazonaws.com` },
        });
        const role = declareServiceRole(
            name,
            {
                // S3 sends neither account nor bucket when it assumes the role.
                service: "s3.amazonaws.com",
                statements: [
                    {
                        actions: ["s3:GetReplicationConfiguration", "s3:ListBucket"],
                        resources: [sourceArn],
                    },
                    {
                        actions: [
                            "s3:GetObjectLegalHold",
                            "s3:GetObjectRetention",
                            "s3:GetObjectVersionAcl",
                            "s3:GetObjectVersionForReplication",
                            "s3:GetObjectVersionTagging",
                        ],
                        resources: [`${sourceArn}/*`],
                    },
                    { actions: ["s3:ReplicateObject", "s3:ReplicateTags"], resources: [`${copyArn}/*`] },
                    {
                        actions: ["kms:Decrypt"],
                        resources: [source.keyArn],
                        condition: through(args.region),
                    },
                    {
                        actions: ["kms:Encrypt", "kms:GenerateDataKey"],
                        resources: [replica.keyArn],
                        condition: through(elsewhere.region),
                    },
                ],
            },
            this,
        );
        new BucketReplicationConfig(
            name,
            {
                bucket: source.bucket,
                role: role.arn,
                rules: [
                    {
                        id: COPY_RULE,
                        status: "Enabled",
                        priority: 0,
                        filter: { prefix: "" },
                        // Deletions are not replicated.
                        deleteMarkerReplication: { status: "Disabled" },
                        sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
                        destination: {
                            bucket: copyArn,
                            encryptionConfiguration: { replicaKmsKeyId: replica.keyArn },
                            replicationTime: { status: "Enabled", time: { minutes: COPY_MINUTES } },
                            metrics: { status: "Enabled", eventThreshold: { minutes: COPY_MINUTES } },
                        },
                    },
                ],
            },
            // Without it, encrypted objects would not be copied, and no error reported.
            { parent: this, protect, dependsOn: [...source.ready, ...replica.ready, ...role.ready] },
        );
        this.registerOutputs();
    }
}

/** The bucket in the second region, and its key. */
class Replica extends ComponentResource {
    readonly keyArn: Input<string>;
    readonly ready: readonly Resource[];

    constructor(
        name: string,
        args: Pick<
            BucketCopyArgs,
            "bucket" | "lifecycle" | "retention" | "description" | "keepKey" | "protect"
        > & {
            accountId: string;
            sourceAccountId: string;
            /** Name of the replication role, to which the provider adds a suffix. */
            role: string;
        },
        opts: ComponentResourceOptions,
    ) {
        super("mcp:storage:Replica", name, {}, opts);
        const { bucket, accountId, sourceAccountId, protect, retention } = args;
        const foreign = accountId === sourceAccountId ? undefined : copierOf(sourceAccountId, args.role);
        const key = declareKey(
            name,
            {
                description: args.description,
                accountId,
                statements: [
                    ...(foreign === undefined
                        ? []
                        : [
                              {
                                  Sid: "Copies",
                                  Effect: "Allow",
                                  ...foreign,
                                  Action: ["kms:Encrypt", "kms:GenerateDataKey"],
                                  Resource: "*",
                              } as const,
                          ]),
                    ...(args.keepKey === true ? [KEEP_KEY] : []),
                ],
                protect,
            },
            this,
        );
        this.keyArn = key.arn;
        this.ready = declareBucket(
            name,
            {
                bucket,
                keyArn: key.arn,
                lifecycle: args.lifecycle,
                ...(retention && { retention }),
                grants:
                    foreign === undefined
                        ? []
                        : [
                              {
                                  ...foreign,
                                  bucketActions: ["s3:GetBucketVersioning"],
                                  objectActions: ["s3:ReplicateObject", "s3:ReplicateTags"],
                              },
                          ],
                protect,
            },
            this,
        );
        this.registerOutputs();
    }
}

/** ARN pattern of another account's replication role, for policies that exist before the role. */
function copierOf(accountId: string, role: string) {
    return {
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Condition: { ArnLike: { "aws:PrincipalArn": `arn:aws:iam::${accountId}:role/${role}-*` } },
    };
}
