import { BACKUPS } from "../../core/numbers";

/** Seconds between two looks at a snapshot, or into the bucket. */
const LOOK_SECONDS = 60;

/** A copy that has not come after so many looks does not come. */
const MOST_LOOKS = 120;

/** A run is given up so long before the next one that a start which was tried for an hour overlaps with none. */
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
    const named = (millis: string) => `'${prefix}' & $replace($fromMillis(${millis}), /[^0-9]/, '')`;
    const start = "$toMillis($states.context.Execution.StartTime)";
    const call = (action: string, args: object | string, rest: object) => ({
        Type: "Task",
        Resource: `arn:aws:states:::aws-sdk:${action}`,
        Arguments: args,
        ...rest,
    });
    /** Asked again although the first answer was lost on its way: what was asked for is there already. */
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
                    looks: 0,
                    page: {},
                },
                Next: "Take a snapshot",
            },
            "Take a snapshot": call(
                "elasticache:createSnapshot",
                { ReplicationGroupId: group, SnapshotName: "{% $snapshot %}" },
                asked("Wait for the snapshot"),
            ),
            "Wait for the snapshot": { Type: "Wait", Seconds: LOOK_SECONDS, Next: "Look at the snapshot" },
            "Look at the snapshot": call(
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
            "Wait for the copy": { Type: "Wait", Seconds: LOOK_SECONDS, Next: "Look into the bucket" },
            // An object is in a bucket as a whole or not at all.
            "Look into the bucket": call(
                "s3:listObjectsV2",
                { Bucket: bucket, Prefix: "{% $snapshot %}" },
                {
                    Retry: [TROUBLE],
                    Assign: { looks: "{% $looks + 1 %}" },
                    Output: "{% $count($states.result.Contents[$contains(Key, /[.]rdb$/) and Size > 0]) %}",
                    Next: "Has it come",
                },
            ),
            "Has it come": {
                Type: "Choice",
                Choices: [
                    { Condition: "{% $states.input > 0 %}", Next: "List what is old" },
                    { Condition: `{% $looks < ${MOST_LOOKS} %}`, Next: "Wait for the copy" },
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
                        // Somebody restores from it, or copies it: the next run removes it.
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
