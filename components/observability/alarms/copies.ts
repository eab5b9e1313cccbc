import { COPY_MINUTES, COPY_RULE } from "../../../core/copies";
import { type Alarm, type Metric } from "../alarm";

/** Maximum duration of a copy of a snapshot, in hours. */
const COPY_HOURS = 4;

/** Multiple of {@link COPY_MINUTES} after which a copy is late. */
const LATE_PERIODS = 3;

/** Arguments of {@link snapshotCopyAlarms}. */
export interface SnapshotCopyAlarmsArgs {
    /** Names of the EventBridge rules that count finished copies, by their interval. */
    rules: Readonly<Record<"hourly" | "daily", string>>;
    /** Longest gap between two hourly snapshots, and maximum duration of a snapshot, in hours. */
    longestGap: number;
    slack: number;
}

/** Copies of PostgreSQL's snapshots in the second region. A failed copy also notifies by itself. */
export function snapshotCopyAlarms({ rules, longestGap, slack }: SnapshotCopyAlarmsArgs): Alarm[] {
    const hours = { hourly: longestGap + slack + COPY_HOURS, daily: 24 + slack + COPY_HOURS };
    return (["hourly", "daily"] as const).map((kind) => ({
        id: `snapshot-copy-missing-${kind}`,
        severity: "P3",
        meaning: `No ${kind} snapshot of PostgreSQL has come to the second region for ${hours[kind]} hours.`,
        cause: "No snapshot is taken, or the role of AWS Backup, the vault there, or its key was changed.",
        resolution: "aws backup list-copy-jobs says why; a copy by hand is aws backup start-copy-job.",
        procedure: "copies",
        metric: {
            namespace: "AWS/Events",
            name: "TriggeredRules",
            dimensions: { RuleName: rules[kind] },
            statistic: "Sum",
        },
        comparison: "<",
        threshold: 1,
        minutes: 60,
        periods: hours[kind],
        missingData: "heartbeat",
    }));
}

/** Arguments of {@link bucketCopyAlarms}. */
export interface BucketCopyAlarmsArgs {
    /** Kind of the copies: `backups`. */
    kind: string;
    /** Names of the bucket and of its copy. */
    source: string;
    copy: string;
}

/** Copies of a bucket's objects in the second region. */
export function bucketCopyAlarms({ kind, source, copy }: BucketCopyAlarmsArgs): Alarm[] {
    const of = (name: string, statistic: Metric["statistic"]): Metric => ({
        namespace: "AWS/S3",
        name,
        dimensions: { SourceBucket: source, DestinationBucket: copy, RuleId: COPY_RULE },
        statistic,
    });
    const common = {
        severity: "P3",
        cause: `The role that copies, the policy or the key of ${copy} was changed, or the bucket is gone.`,
        resolution:
            "Update the stack. Objects that failed are copied again by a job of S3 Batch Replication: aws s3control create-job.",
        procedure: "copies",
        missingData: "count",
        comparison: ">",
    } as const;
    return [
        {
            ...common,
            id: `copy-failed-${kind}`,
            meaning: `An object of ${source} could not be copied to ${copy}.`,
            metric: of("OperationsFailedReplication", "Sum"),
            threshold: 0,
            minutes: 5,
        },
        {
            ...common,
            id: `copy-late-${kind}`,
            meaning: `Objects of ${source} have waited for more than ${COPY_MINUTES} minutes to be copied to ${copy}.`,
            metric: of("ReplicationLatency", "Maximum"),
            threshold: COPY_MINUTES * 60,
            minutes: COPY_MINUTES,
            periods: LATE_PERIODS,
        },
    ];
}
