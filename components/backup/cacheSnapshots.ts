import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { BACKUPS } from "../../core/numbers";
import { declareNotice } from "../automation/notice";
import { declareSchedule } from "../automation/schedule";
import { declareStateMachine } from "../automation/stateMachine";
import { bucketArn, declareBucket } from "../storage/bucket";
import { cacheSnapshotMachine, snapshotPrefix } from "./cacheSnapshotMachine";

/** Arguments of {@link CacheSnapshots}. */
export interface CacheSnapshotsArgs {
    /** Name of the replication group in use. */
    group: string;
    /** Names of all groups that may be in use, so that the rights do not change with a switch. */
    groups: readonly string[];
    /** Name of the bucket of the snapshots. */
    bucket: string;
    accountId: string;
    region: string;
    /** Key of the group, the schedule and the log. */
    keyArn: Input<string>;
    /** Retention of the log, in days. */
    logDays: number;
    /** Topic for failed runs, and its key. */
    topic: { arn: Input<string>; keyArn: Input<string> };
    /** Refuses to delete the bucket. */
    protect: boolean;
}

/** Rights of ElastiCache to export to and restore from a bucket, as its guide lists them. */
const EXPORT = {
    bucketActions: ["s3:GetBucketAcl", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
    objectActions: ["s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
};

/**
 * Snapshots of Redis every six hours in a dedicated bucket, kept for seven days (section 7.1). ElastiCache itself takes
 * one snapshot a day and does not export it, so a schedule starts a state machine.
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
                // Encrypted with S3's key, because ElastiCache can restore from no other. Its guide documents no
                // condition keys.
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
                        // Copying a snapshot with a customer key needs the caller's rights to the key.
                        actions: ["kms:DescribeKey"],
                        resources: [keyArn],
                    },
                    {
                        actions: ["kms:CreateGrant"],
                        resources: [keyArn],
                        condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
                    },
                    // ElastiCache checks that the caller owns the bucket and may write to it.
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
