import { BACKUPS } from "../../runbook/numbers";

/** Seconds between two looks at a snapshot. */
const LOOK_SECONDS = 60;

/** A run that takes longer than the time to the next one is given up. In seconds. */
const TIMEOUT_SECONDS = (BACKUPS.redis.everyHours - 1) * 3600;

/** How long a snapshot stays in ElastiCache, where it is restored from in minutes, beside its copy in the bucket. */
const KEPT_MILLISECONDS = 24 * 3600 * 1000;

/** The group is being changed, or another snapshot of it is taken: that passes. */
const BUSY = {
    ErrorEquals: [
        "ElastiCache.InvalidReplicationGroupStateException",
        "ElastiCache.InvalidCacheClusterStateException",
        "ElastiCache.InvalidSnapshotStateException",
    ],
    IntervalSeconds: 300,
    MaxAttempts: 12,
    BackoffRate: 1,
};

/** Too many requests, or a moment's trouble on the way. */
const TROUBLE = {
    ErrorEquals: ["ElastiCache.ElastiCacheException", "ElastiCache.SdkClientException", "S3.S3Exception"],
    IntervalSeconds: 5,
    MaxAttempts: 6,
    BackoffRate: 2,
    JitterStrategy: "FULL",
};

/** Names of the snapshots begin so, and end in the 17 digits of their time to the millisecond. */
export function snapshotPrefix(group: string): string {
    return `${group}-scheduled-`;
}

/**
 * Takes a snapshot of a replication group, copies it to a bucket, looks whether it has come there, and removes the
 * scheduled ones of more than a day ago; those that people took stay. Section 7.1. Queries are JSONata.
 */
export function cacheSnapshotMachine({ group, bucket }: { group: string; bucket: string }): object {
    const prefix = snapshotPrefix(group);
    const call = (action: string, args: object, rest: object) => ({
        Type: "Task",
        Resource: `arn:aws:states:::aws-sdk:${action}`,
        Arguments: args,
        Retry: [BUSY, TROUBLE],
        ...rest,
    });
    /** Looks until the snapshot is available; in any state but that and those of `passing` it has failed. */
    const awaited = (what: string, passing: string[], next: string) => ({
        [`Wait for the ${what}`]: { Type: "Wait", Seconds: LOOK_SECONDS, Next: `Look at the ${what}` },
        [`Look at the ${what}`]: call(
            "elasticache:describeSnapshots",
            { SnapshotName: "{% $snapshot %}" },
            {
                Output: "{% $states.result.Snapshots[0].SnapshotStatus %}",
                Next: `Is the ${what} done`,
            },
        ),
        [`Is the ${what} done`]: {
            Type: "Choice",
            Choices: [
                { Condition: "{% $states.input = 'available' %}", Next: next },
                {
                    Condition: `{% $states.input in ${JSON.stringify(passing)} %}`,
                    Next: `Wait for the ${what}`,
                },
            ],
            Default: `The ${what} failed`,
        },
        [`The ${what} failed`]: {
            Type: "Fail",
            Error: "SnapshotFailed",
            Cause: `{% 'the ${what} of ' & $snapshot & ' ended as ' & $string($states.input) %}`,
        },
    });
    return {
        Comment: `Snapshots of ${group} to ${bucket}`,
        QueryLanguage: "JSONata",
        TimeoutSeconds: TIMEOUT_SECONDS,
        StartAt: "Name",
        States: {
            Name: {
                Type: "Pass",
                Assign: {
                    snapshot: `{% '${prefix}' & $replace($states.context.Execution.StartTime, /[^0-9]/, '') %}`,
                    oldest: `{% '${prefix}' & $replace($fromMillis($toMillis($states.context.Execution.StartTime) - ${KEPT_MILLISECONDS}), /[^0-9]/, '') %}`,
                },
                Next: "Take a snapshot",
            },
            "Take a snapshot": call(
                "elasticache:createSnapshot",
                { ReplicationGroupId: group, SnapshotName: "{% $snapshot %}" },
                { Next: "Wait for the snapshot" },
            ),
            ...awaited("snapshot", ["creating"], "Copy it to the bucket"),
            "Copy it to the bucket": call(
                "elasticache:copySnapshot",
                {
                    SourceSnapshotName: "{% $snapshot %}",
                    TargetSnapshotName: "{% $snapshot %}",
                    TargetBucket: bucket,
                },
                { Next: "Wait for the copy" },
            ),
            ...awaited("copy", ["exporting"], "Look into the bucket"),
            "Look into the bucket": call(
                "s3:listObjectsV2",
                { Bucket: bucket, Prefix: "{% $snapshot %}" },
                {
                    Output: "{% $sum($states.result.Contents.Size) %}",
                    Next: "Has it come",
                },
            ),
            "Has it come": {
                Type: "Choice",
                Choices: [{ Condition: "{% $states.input > 0 %}", Next: "List what is old" }],
                Default: "It has not come",
            },
            "It has not come": {
                Type: "Fail",
                Error: "CopyMissing",
                Cause: `{% $snapshot & ' is not in the bucket ${bucket}' %}`,
            },
            "List what is old": call(
                "elasticache:describeSnapshots",
                { ReplicationGroupId: group, SnapshotSource: "manual", MaxRecords: 50 },
                {
                    Output: `{% [$states.result.Snapshots.SnapshotName[$contains($, /^${prefix}[0-9]{17}$/) and $ < $oldest]] %}`,
                    Next: "Remove what is old",
                },
            ),
            "Remove what is old": {
                Type: "Map",
                Items: "{% $states.input %}",
                MaxConcurrency: 1,
                ItemProcessor: {
                    StartAt: "Remove",
                    States: {
                        Remove: call(
                            "elasticache:deleteSnapshot",
                            { SnapshotName: "{% $states.input %}" },
                            {
                                Catch: [
                                    {
                                        ErrorEquals: ["ElastiCache.SnapshotNotFoundException"],
                                        Next: "Gone already",
                                    },
                                ],
                                End: true,
                            },
                        ),
                        "Gone already": { Type: "Succeed" },
                    },
                },
                End: true,
            },
        },
    };
}
