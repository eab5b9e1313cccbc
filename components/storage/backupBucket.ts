import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { BACKUPS } from "../../core/numbers";
import { declareKey } from "../encryption";
import { bucketArn, declareBucket } from "./bucket";

/** Arguments of {@link BackupBucket}. */
export interface BackupBucketArgs {
    /** Name of the bucket. */
    bucket: string;
    /** Account that administers its key. */
    accountId: string;
    /** Refuses to delete the bucket and its key. */
    protect: boolean;
}

/** What was overwritten or deleted can be brought back for so many days. */
const NONCURRENT_DAYS = 7;

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

    constructor(name: string, args: BackupBucketArgs, opts?: ComponentResourceOptions) {
        super("mcp:storage:BackupBucket", name, {}, opts);
        const { bucket, accountId, protect } = args;
        const key = declareKey(
            name,
            { description: "Dumps and exported configurations", accountId, protect },
            this,
        );
        const { postgresql, kubernetes } = BACKUPS;
        declareBucket(
            name,
            {
                bucket,
                keyArn: key.arn,
                protect,
                lifecycle: [
                    {
                        id: "daily",
                        prefix: "daily/",
                        expirationDays: postgresql.daily.retentionDays,
                        noncurrentDays: NONCURRENT_DAYS,
                    },
                    {
                        id: "weekly",
                        prefix: "weekly/",
                        // The day after, so that a dump that fails its check is not in the ice already.
                        transitions: [{ days: 1, storageClass: "GLACIER" }],
                        expirationDays: postgresql.weekly.retentionDays,
                        noncurrentDays: NONCURRENT_DAYS,
                    },
                    {
                        id: "kubernetes",
                        prefix: "kubernetes/",
                        expirationDays: kubernetes.retentionDays,
                        noncurrentDays: NONCURRENT_DAYS,
                    },
                    { id: "manual", prefix: "manual/", noncurrentDays: NONCURRENT_DAYS },
                ],
            },
            this,
        );
        this.bucket = bucket;
        this.arn = bucketArn(bucket);
        this.keyArn = key.arn;
        this.registerOutputs({ arn: this.arn });
    }
}
