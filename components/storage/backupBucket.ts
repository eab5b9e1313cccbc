import { ComponentResource, type ComponentResourceOptions, type Output, type Resource } from "@pulumi/pulumi";
import { BACKUPS } from "../../core/numbers";
import { declareKey } from "../encryption";
import { bucketArn, declareBucket, type LifecycleRule, type Retention } from "./bucket";

/** Arguments of {@link BackupBucket}. */
export interface BackupBucketArgs {
    /** Name of the bucket. */
    bucket: string;
    /** Account that administers the key. */
    accountId: string;
    /** Object Lock of its objects. Default: none. */
    lock?: Retention["mode"] | undefined;
    /** Refuses to delete the bucket and its key. */
    protect: boolean;
}

/** Days for which overwritten or deleted objects can be restored. */
const NONCURRENT_DAYS = 7;

const { postgresql, kubernetes } = BACKUPS;

/** Retention below each prefix, in days. Objects below `manual/` are removed by hand. */
export const KEPT_DAYS = {
    daily: postgresql.daily.retentionDays,
    weekly: postgresql.weekly.retentionDays,
    kubernetes: kubernetes.retentionDays,
} as const;

/** Default lock of the bucket. Uploads below a prefix with a longer retention set a longer lock. */
export const SHORTEST_DAYS = Math.min(...Object.values(KEPT_DAYS));

/** Lifecycle of dumps and exports. */
export const BACKUP_LIFECYCLE: readonly LifecycleRule[] = [
    { id: "daily", prefix: "daily/", expirationDays: KEPT_DAYS.daily, noncurrentDays: NONCURRENT_DAYS },
    {
        id: "weekly",
        prefix: "weekly/",
        // The day after, so that a dump that fails its verification is not in Glacier yet.
        transitions: [{ days: 1, storageClass: "GLACIER" }],
        expirationDays: KEPT_DAYS.weekly,
        noncurrentDays: NONCURRENT_DAYS,
    },
    {
        id: "kubernetes",
        prefix: "kubernetes/",
        expirationDays: KEPT_DAYS.kubernetes,
        noncurrentDays: NONCURRENT_DAYS,
    },
    { id: "manual", prefix: "manual/", noncurrentDays: NONCURRENT_DAYS },
];

/**
 * Bucket of database dumps and cluster configurations, each kind below a prefix with the retention of section 7.1:
 * `daily/`, `weekly/` (in Glacier), `kubernetes/`. Objects below `manual/` (section 5.2 step 1) are removed by hand.
 */
export class BackupBucket extends ComponentResource {
    /** Name of the bucket. */
    public readonly bucket: string;
    /** ARN of the bucket. */
    public readonly arn: string;
    /** ARN of the encryption key. */
    public readonly keyArn: Output<string>;
    /** Object Lock of its objects. */
    public readonly lock: Retention["mode"] | undefined;
    /** What must exist before its objects are copied. */
    public readonly ready: readonly Resource[];

    constructor(name: string, args: BackupBucketArgs, opts?: ComponentResourceOptions) {
        super("mcp:storage:BackupBucket", name, {}, opts);
        const { bucket, accountId, protect, lock } = args;
        this.lock = lock;
        const key = declareKey(
            name,
            { description: "Dumps and exported configurations", accountId, protect },
            this,
        );
        this.ready = declareBucket(
            name,
            {
                bucket,
                keyArn: key.arn,
                protect,
                lifecycle: BACKUP_LIFECYCLE,
                ...(lock && { retention: { mode: lock, days: SHORTEST_DAYS } }),
            },
            this,
        );
        this.bucket = bucket;
        this.arn = bucketArn(bucket);
        this.keyArn = key.arn;
        this.registerOutputs({ arn: this.arn });
    }
}
