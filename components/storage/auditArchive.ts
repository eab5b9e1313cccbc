import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { LogStream } from "@pulumi/aws/cloudwatch/logStream";
import { LogSubscriptionFilter } from "@pulumi/aws/cloudwatch/logSubscriptionFilter";
import { FirehoseDeliveryStream } from "@pulumi/aws/kinesis/firehoseDeliveryStream";
import { ComponentResource, type ComponentResourceOptions, type Output, type Resource } from "@pulumi/pulumi";
import { TIME_ZONE } from "../../core/numbers";
import { declareKey, KEEP_KEY, logsUse } from "../encryption";
import { declareServiceRole } from "../identity/serviceRole";
import { bucketArn, declareBucket, type LifecycleRule, type Retention } from "./bucket";

/** Arguments of {@link AuditArchive}. */
export interface AuditArchiveArgs {
    /** Name of the bucket. */
    bucket: string;
    /** Log group of the archived events. */
    logGroup: string;
    /** Retention of the log group, in days. */
    searchableDays: number;
    /** Object Lock of the archive. */
    retention: Retention;
    /** Account and region of the archive, for its ARNs. */
    accountId: string;
    region: string;
    /** Whether to refuse to delete any of it. Default: true. */
    protect?: boolean;
    /** Time zone of the dates in the names of objects. Default: Asia/Kolkata, the zone of section 5.1. */
    timeZone?: string;
}

/** Maximum buffering time of an event, in seconds. */
const BUFFER_SECONDS = 300;

/** Storage classes: immediate access for a year, then within hours. Not in a trial, which lasts days. */
const TRANSITIONS = [
    { days: 90, storageClass: "GLACIER_IR" },
    { days: 365, storageClass: "DEEP_ARCHIVE" },
] as const;

/** Lifecycle of the archive: colder storage over time, without expiry. */
export function archiveLifecycle({ years }: Retention): LifecycleRule[] {
    return [
        {
            id: "colder",
            prefix: "",
            transitions: years === undefined ? [] : TRANSITIONS,
            // S3 never deletes a version before its retention ends.
            noncurrentDays: 1,
        },
    ];
}

/**
 * Archives audit events continuously from their log group to a bucket in which they cannot be changed or deleted for
 * the retention of section 7.1: Object Lock, in COMPLIANCE mode in production. Archived objects have one event a line.
 */
export class AuditArchive extends ComponentResource {
    /** Name of the bucket. */
    public readonly bucket: string;
    /** Its ARN. */
    public readonly arn: string;
    /** ARN of the key everything in it is encrypted with. */
    public readonly keyArn: Output<string>;
    /** What must exist before its objects are copied. */
    public readonly ready: readonly Resource[];
    /** Name of the log group of the events. */
    public readonly logGroup: Output<string>;

    constructor(name: string, args: AuditArchiveArgs, opts?: ComponentResourceOptions) {
        super("mcp:storage:AuditArchive", name, {}, opts);
        const { accountId, region, bucket, retention, protect = true, timeZone = TIME_ZONE } = args;
        this.bucket = bucket;
        this.arn = bucketArn(bucket);
        const groupArn = (group: string) => `arn:aws:logs:${region}:${accountId}:log-group:${group}`;
        const deliveryGroup = `${args.logGroup}-delivery`;

        const key = declareKey(
            name,
            {
                description: "Audit events: their log group, delivery and archive",
                accountId,
                statements: [
                    logsUse(args, args.logGroup),
                    ...(retention.mode === "COMPLIANCE" ? [KEEP_KEY] : []),
                ],
                protect,
            },
            this,
        );
        this.keyArn = key.arn;
        const ready = declareBucket(
            name,
            {
                bucket,
                keyArn: key.arn,
                retention,
                protect,
                lifecycle: archiveLifecycle(retention),
            },
            this,
        );

        this.ready = ready;

        const group = (own: string, groupName: string, kept: boolean) =>
            new LogGroup(
                own,
                {
                    name: groupName,
                    retentionInDays: args.searchableDays,
                    kmsKeyId: key.arn,
                    skipDestroy: kept,
                },
                { parent: this, protect: kept },
            );
        const events = group(name, args.logGroup, protect);
        this.logGroup = events.name;
        const troubles = group(`${name}-delivery`, deliveryGroup, false);
        const error = new LogStream(
            `${name}-delivery`,
            { name: "s3", logGroupName: troubles.name },
            { parent: this },
        );

        const writer = declareServiceRole(
            `${name}-writer`,
            {
                service: "firehose.amazonaws.com",
                // Rights that its guide documents; it documents no source condition.
                externalId: accountId,
                statements: [
                    { actions: ["s3:AbortMultipartUpload", "s3:PutObject"], resources: [`${this.arn}/*`] },
                    {
                        actions: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                        resources: [this.arn],
                    },
                    { actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [key.arn] },
                    { actions: ["logs:PutLogEvents"], resources: [`${groupArn(deliveryGroup)}:*`] },
                ],
            },
            this,
        );
        const stream = new FirehoseDeliveryStream(
            name,
            {
                name,
                destination: "extended_s3",
                serverSideEncryption: {
                    enabled: true,
                    keyType: "CUSTOMER_MANAGED_CMK",
                    keyArn: key.arn,
                },
                extendedS3Configuration: {
                    roleArn: writer.arn,
                    bucketArn: this.arn,
                    kmsKeyArn: key.arn,
                    prefix: "events/!{timestamp:yyyy/MM/dd}/",
                    errorOutputPrefix: "failed/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/",
                    customTimeZone: timeZone,
                    bufferingInterval: BUFFER_SECONDS,
                    bufferingSize: 64,
                    compressionFormat: "GZIP",
                    fileExtension: ".jsonl.gz",
                    processingConfiguration: {
                        enabled: true,
                        // Subscriptions send compressed batches of events, without separators.
                        processors: [
                            {
                                type: "Decompression",
                                parameters: [{ parameterName: "CompressionFormat", parameterValue: "GZIP" }],
                            },
                            {
                                type: "CloudWatchLogProcessing",
                                parameters: [
                                    { parameterName: "DataMessageExtraction", parameterValue: "true" },
                                ],
                            },
                            { type: "AppendDelimiterToRecord" },
                        ],
                    },
                    cloudwatchLoggingOptions: {
                        enabled: true,
                        logGroupName: troubles.name,
                        logStreamName: error.name,
                    },
                },
            },
            { parent: this, dependsOn: [...writer.ready, ...ready] },
        );

        const streamArn = `arn:aws:firehose:${region}:${accountId}:deliverystream/${name}`;
        const sender = declareServiceRole(
            `${name}-sender`,
            {
                service: "logs.amazonaws.com",
                // With and without the `:*` suffix, because requests use both. The ARN contains the account.
                sourceArn: `${groupArn(args.logGroup)}*`,
                statements: [
                    { actions: ["firehose:PutRecord", "firehose:PutRecordBatch"], resources: [streamArn] },
                ],
            },
            this,
        );
        new LogSubscriptionFilter(
            name,
            {
                name,
                logGroup: events.name,
                // Matches every event.
                filterPattern: "",
                destinationArn: stream.arn,
                roleArn: sender.arn,
            },
            { parent: this, dependsOn: sender.ready },
        );

        this.registerOutputs({ arn: this.arn });
    }
}
