import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { BACKUPS } from "../../core/numbers";
import { declareNotice } from "../automation/notice";
import { declareSchedule } from "../automation/schedule";
import { declareStateMachine } from "../automation/stateMachine";
import { bucketArn, declareBucket } from "../storage/bucket";
import { cacheSnapshotMachine, snapshotPrefix } from "./cacheSnapshotMachine";

/** Arguments of {@link CacheSnapshots}. */
export interface CacheSnapshotsArgs {
    /** Name of the replication group that the services use. */
    group: string;
    /** Names of the groups that can be in use: the rights to save each stay when another one is. */
    groups: readonly string[];
    /** Name of the bucket its snapshots go to. */
    bucket: string;
    accountId: string;
    region: string;
    /** Key of the group, the schedule and the log. */
    keyArn: Input<string>;
    /** How long the log is kept, in days. */
    logDays: number;
    /** Topic of the message that a run has failed, and the key of that topic. */
    topic: { arn: Input<string>; keyArn: Input<string> };
    /** Refuses to delete the bucket. */
    protect: boolean;
}

/** Rights of ElastiCache on a bucket that it exports to and restores from, as its guide lists them. */
const EXPORT = {
    bucketActions: ["s3:GetBucketAcl", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
    objectActions: ["s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
};

/**
 * Redis every six hours into a bucket of its own, kept for seven days (section 7.1). ElastiCache by itself takes one
 * snapshot a day and keeps it where it is, so a schedule and a state machine do it.
 */
export class CacheSnapshots extends ComponentResource {
    constructor(name: string, args: CacheSnapshotsArgs, opts?: ComponentResourceOptions) {
        super("mcp:backup:CacheSnapshots", name, {}, opts);
        const { group, bucket, accountId, region, keyArn } = args;
        const { everyHours, retentionDays } = BACKUPS.redis;
        const ready = declareBucket(
            name,
            {
                bucket,
                // Under S3's own key: ElastiCache restores from no other. Its guide documents no condition keys.
                grants: [
                    {
                        Principal: { Service: `${region}.elasticache-snapshot.amazonaws.com` },
                        ...EXPORT,
                    },
                ],
                lifecycle: [
                    { id: "snapshots", prefix: "", expirationDays: retentionDays, noncurrentDays: 1 },
                ],
                protect: args.protect,
            },
            this,
        );

        const cacheArn = (resource: string) => `arn:aws:elasticache:${region}:${accountId}:${resource}`;
        const replicationGroups = args.groups.map((each) => cacheArn(`replicationgroup:${each}`));
        const snapshots = args.groups.map((each) => cacheArn(`snapshot:${snapshotPrefix(each)}*`));
        const machine = declareStateMachine(
            name,
            {
                definition: cacheSnapshotMachine({ group, bucket }),
                accountId,
                statements: [
                    {
                        actions: ["elasticache:CreateSnapshot"],
                        resources: [...replicationGroups, ...snapshots],
                    },
                    {
                        actions: ["elasticache:CopySnapshot", "elasticache:DeleteSnapshot"],
                        resources: snapshots,
                    },
                    { actions: ["elasticache:DescribeSnapshots"], resources: [cacheArn("snapshot:*")] },
                    {
                        // A copy of a snapshot under a customer key takes them of the caller.
                        actions: ["kms:DescribeKey"],
                        resources: [keyArn],
                    },
                    {
                        actions: ["kms:CreateGrant"],
                        resources: [keyArn],
                        condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
                    },
                    // ElastiCache checks that the caller owns the bucket and may write there.
                    { actions: ["s3:ListAllMyBuckets"], resources: ["*"] },
                    {
                        actions: ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:ListBucket"],
                        resources: [bucketArn(bucket)],
                    },
                    {
                        actions: ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                        resources: [`${bucketArn(bucket)}/*`],
                    },
                ],
                keyArn,
                logDays: args.logDays,
            },
            this,
            ready,
        );
        declareSchedule(
            name,
            {
                description: `Redis to ${bucket} every ${everyHours} hours`,
                cron: `0 0/${everyHours} * * ? *`,
                stateMachineArn: machine.arn,
                accountId,
                keyArn,
            },
            this,
        );
        declareNotice(
            `${name}-failed`,
            {
                description: "A snapshot of Redis did not come to its bucket",
                pattern: {
                    source: ["aws.states"],
                    "detail-type": ["Step Functions Execution Status Change"],
                    detail: {
                        stateMachineArn: [`arn:aws:states:${region}:${accountId}:stateMachine:${name}`],
                        status: ["FAILED", "TIMED_OUT", "ABORTED"],
                    },
                },
                topic: args.topic,
                accountId,
                region,
                parts: {
                    status: "$.detail.status",
                    error: "$.detail.error",
                    run: "$.detail.executionArn",
                    machine: "$.detail.stateMachineArn",
                },
                sentence:
                    "Redis backup <status>: <error>. Why: aws stepfunctions describe-execution --execution-arn <run>. " +
                    `The next one is due in ${everyHours} hours; sooner: aws stepfunctions start-execution --state-machine-arn <machine>`,
            },
            this,
        );
        this.registerOutputs();
    }
}
