import { ComponentResource, type ComponentResourceOptions, type Output, type Resource } from "@pulumi/pulumi";
import { BACKUPS } from "../../core/numbers";
import { declareKey } from "../encryption";
import { bucketArn, declareBucket, type LifecycleRule, type Retention } from "./bucket";

/** Arguments of {@link BackupBucket}. */
export interface BackupBucketArgs {
    /** Name of the bucket. */
    bucket: string;
    /** Account that administers its key. */
    accountId: string;
    /** Object Lock of what is in it. Default: none. */
    lock?: Retention["mode"] | undefined;
    /** Refuses to delete the bucket and its key. */
    protect: boolean;
}

/** What was overwritten or deleted can be brought back for so many days. */
const NONCURRENT_DAYS = 7;

const { postgresql, kubernetes } = BACKUPS;

/** How long what is below a prefix is kept, in days. What is below `manual/` is for people to remove. */
export const KEPT_DAYS = {
    daily: postgresql.daily.retentionDays,
    weekly: postgresql.weekly.retentionDays,
    kubernetes: kubernetes.retentionDays,
} as const;

/** A lock of the whole bucket: uploads below a prefix that is kept longer lock what they upload for longer. */
export const SHORTEST_DAYS = Math.min(...Object.values(KEPT_DAYS));

/** What becomes of dumps and exports over time. */
export const BACKUP_LIFECYCLE: readonly LifecycleRule[] = [
    { id: "daily", prefix: "daily/", expirationDays: KEPT_DAYS.daily, noncurrentDays: NONCURRENT_DAYS },
    {
        id: "weekly",
        prefix: "weekly/",
        // The day after, so that a dump that fails its check is not in the ice already.
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
 * Where dumps of the database and configurations of the cluster go, each kind below a prefix of its own that is kept
 * as long as section 7.1 says: `daily/`, `weekly/` (in Glacier), `kubernetes/`. What somebody put below `manual/`
 * (section 5.2 step 1) is theirs to remove.
 */
export class BackupBucket extends ComponentResource {
    /** Name of the bucket. */
    public readonly bucket: string;
    /** ARN of the bucket. */
    public readonly arn: string;
    /** ARN of the key everything in it is encrypted with. */
    public readonly keyArn: Output<string>;
    /** Object Lock of what is in it. */
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
