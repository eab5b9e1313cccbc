import { BACKUPS } from "../../core/numbers";

/** Seconds between two checks of the snapshot or the bucket. */
const LOOK_SECONDS = 60;

/** Number of checks after which a copy counts as failed. */
const MAX_CHECKS = 120;

/** Timeout of a run. It ends before the next run starts, even if that start was retried for an hour. */
const TIMEOUT_SECONDS = (BACKUPS.redis.everyHours - 1) * 3600;

/**
 * How long a snapshot stays in ElastiCache, from which a restore takes minutes, in addition to its copy in the bucket.
 */
const KEPT_MILLISECONDS = 24 * 3600 * 1000;

/** Transient: the group is being modified, or another snapshot of it is being taken. */
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

/** Transient: throttling or a network error. */
const TROUBLE = {
    ErrorEquals: [
        "ElastiCache.ElastiCacheException",
        "ElastiCache.SdkClientException",
        "S3.S3Exception",
        "S3.SdkClientException",
    ],
    IntervalSeconds: 5,
    MaxAttempts: 6,
    BackoffRate: 2,
    JitterStrategy: "FULL",
};

/** Pattern of the snapshots' names: this prefix, and 17 digits of the time to the millisecond. */
export function snapshotPrefix(group: string): string {
    return `${group}-scheduled-`;
}

/**
 * Takes a snapshot of a replication group, exports it to a bucket, checks that it arrived, and removes scheduled
 * snapshots older than a day. Keeps manual snapshots. Section 7.1. Queries are JSONata.
 */
export function cacheSnapshotMachine({ group, bucket }: { group: string; bucket: string }): object {
    const prefix = snapshotPrefix(group);
    const named = (millis: string) => `'${prefix}' & $replace($fromMillis(${millis}), /[^0-9]/, '')`;
    const start = "$toMillis($states.context.Execution.StartTime)";
    const call = (action: string, args: object | string, rest: object) => ({
        Type: "Task",
        Resource: `arn:aws:states:::aws-sdk:${action}`,
        Arguments: args,
        ...rest,
    });
    /** A retry after a lost response: the snapshot already exists. */
    const asked = (next: string) => ({
        Retry: [BUSY, TROUBLE],
        Catch: [{ ErrorEquals: ["ElastiCache.SnapshotAlreadyExistsException"], Next: next }],
        Next: next,
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
                    snapshot: `{% ${named(start)} %}`,
                    oldest: `{% ${named(`${start} - ${KEPT_MILLISECONDS}`)} %}`,
                    checks: 0,
                    page: {},
                },
                Next: "Take a snapshot",
            },
            "Take a snapshot": call(
                "elasticache:createSnapshot",
                { ReplicationGroupId: group, SnapshotName: "{% $snapshot %}" },
                asked("Wait for the snapshot"),
            ),
            "Wait for the snapshot": { Type: "Wait", Seconds: LOOK_SECONDS, Next: "Check the snapshot" },
            "Check the snapshot": call(
                "elasticache:describeSnapshots",
                { SnapshotName: "{% $snapshot %}" },
                {
                    Retry: [TROUBLE],
                    Output: "{% $states.result.Snapshots[0].SnapshotStatus %}",
                    Next: "Is it taken",
                },
            ),
            "Is it taken": {
                Type: "Choice",
                Choices: [
                    { Condition: "{% $states.input = 'available' %}", Next: "Copy it to the bucket" },
                    { Condition: "{% $states.input = 'creating' %}", Next: "Wait for the snapshot" },
                ],
                Default: "It was not taken",
            },
            "It was not taken": {
                Type: "Fail",
                Error: "SnapshotFailed",
                Cause: "{% $snapshot & ' ended as ' & $states.input %}",
            },
            "Copy it to the bucket": call(
                "elasticache:copySnapshot",
                {
                    SourceSnapshotName: "{% $snapshot %}",
                    TargetSnapshotName: "{% $snapshot %}",
                    TargetBucket: bucket,
                },
                asked("Wait for the copy"),
            ),
            "Wait for the copy": { Type: "Wait", Seconds: LOOK_SECONDS, Next: "Check the bucket" },
            // S3 shows an object only after its upload is complete.
            "Check the bucket": call(
                "s3:listObjectsV2",
                { Bucket: bucket, Prefix: "{% $snapshot %}" },
                {
                    Retry: [TROUBLE],
                    Assign: { checks: "{% $checks + 1 %}" },
                    Output: "{% $count($states.result.Contents[$contains(Key, /[.]rdb$/) and Size > 0]) %}",
                    Next: "Has it come",
                },
            ),
            "Has it come": {
                Type: "Choice",
                Choices: [
                    { Condition: "{% $states.input > 0 %}", Next: "List what is old" },
                    { Condition: `{% $checks < ${MAX_CHECKS} %}`, Next: "Wait for the copy" },
                ],
                Default: "It has not come",
            },
            "It has not come": {
                Type: "Fail",
                Error: "CopyMissing",
                Cause: `{% $snapshot & ' is not in the bucket ${bucket}' %}`,
            },
            "List what is old": call(
                "elasticache:describeSnapshots",
                `{% $merge([{ 'ReplicationGroupId': '${group}', 'SnapshotSource': 'user', 'MaxRecords': 50 }, $page]) %}`,
                {
                    Retry: [TROUBLE],
                    Assign: {
                        page: "{% $states.result.Marker ? { 'Marker': $states.result.Marker } : {} %}",
                    },
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
                                Retry: [TROUBLE],
                                Catch: [
                                    {
                                        ErrorEquals: [
                                            "ElastiCache.SnapshotNotFoundException",
                                            "ElastiCache.InvalidSnapshotStateException",
                                        ],
                                        Next: "Gone already, or in use",
                                    },
                                ],
                                End: true,
                            },
                        ),
                        // The snapshot is in use by a restore or a copy: the next run removes it.
                        "Gone already, or in use": { Type: "Succeed" },
                    },
                },
                Next: "Is there more",
            },
            "Is there more": {
                Type: "Choice",
                Choices: [{ Condition: "{% $exists($page.Marker) %}", Next: "List what is old" }],
                Default: "Done",
            },
            Done: { Type: "Succeed", Output: "{% { 'snapshot': $snapshot } %}" },
        },
    };
}
