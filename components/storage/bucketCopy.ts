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

/** A second region, and the account in it. */
export interface Elsewhere {
    region: string;
    accountId: string;
    provider: ProviderResource;
}

/** Arguments of {@link BucketCopy}. */
export interface BucketCopyArgs {
    accountId: string;
    region: string;
    /** The bucket that is copied, its key, and what must exist before. It is versioned. */
    source: { bucket: string; keyArn: Input<string>; ready: readonly Resource[] };
    elsewhere: Elsewhere;
    /** Name of the copy. */
    bucket: string;
    /** What becomes of the copies over time: deletions at the source are not copied. */
    lifecycle: readonly LifecycleRule[];
    /** Default retention of the copies. A copy of a locked object is locked as its source is. Default: none. */
    retention?: Retention | undefined;
    /** What the copies are of, in words. */
    description: string;
    /** Denies the deletion of the copy's key to everybody. Default: false. */
    keepKey?: boolean;
    /** Refuses to delete the copy and its key. */
    protect: boolean;
}

/**
 * A copy of a bucket in a second region: each new object is there within {@link COPY_MINUTES} minutes, under a key of that
 * region, with its Object Lock. Deletions are not copied, so that neither a mistake nor an intruder at the source reaches
 * the copies; the lifecycle of the copy removes them in time. Objects from before the copy are not copied by themselves.
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
                // What its guide documents: S3 names neither account nor bucket when it takes the role on.
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
                        // A deletion stays where it was made.
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
            // Without it objects would quietly stay uncopied.
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
            /** Name of the role that copies, which the provider puts a suffix behind. */
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

/** The role of another account that copies, as policies name it before it exists. */
function copierOf(accountId: string, role: string) {
    return {
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Condition: { ArnLike: { "aws:PrincipalArn": `arn:aws:iam::${accountId}:role/${role}-*` } },
    };
}
