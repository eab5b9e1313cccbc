import { type Input } from "@pulumi/pulumi";
import { metricsPermission, type PodIdentityArgs } from "../identity/podIdentity";
import { type BackupBucket, KEPT_DAYS, SHORTEST_DAYS } from "../storage/backupBucket";
import { script, type TaskStep } from "../tasks/task";

/** A prefix of the backup bucket. What is below it is kept as long as section 7.1 says. */
export type BackupKind = "daily" | "weekly" | "manual" | "kubernetes";

/** Rights to put something below these prefixes, to see whether it came there whole, and to report it in `metrics`. */
export function uploadPermissions(
    { arn, keyArn, lock }: Pick<BackupBucket, "arn" | "keyArn" | "lock">,
    kinds: readonly BackupKind[],
    metrics?: string,
): PodIdentityArgs["permissions"] {
    return [
        {
            // A look at an object's size and checksum takes the right to read it.
            actions: [
                "s3:PutObject",
                "s3:AbortMultipartUpload",
                "s3:GetObject",
                ...(lock === undefined ? [] : ["s3:PutObjectRetention"]),
            ],
            resources: kinds.map((kind) => `${arn}/${kind}/*`),
        },
        // Parts are decrypted to be put together, and so is a checksum to be read.
        { actions: ["kms:GenerateDataKey", "kms:Decrypt"], resources: [keyArn] },
        ...(metrics === undefined ? [] : [metricsPermission(metrics)]),
    ];
}

/** Arguments of {@link uploadStep}. */
export interface UploadArgs {
    /** Image with the AWS command line, pinned. */
    image: string;
    region: string;
    bucket: Pick<BackupBucket, "bucket" | "lock">;
    kind: BackupKind;
    /** What the file is of, for its name in the bucket. */
    label: string;
    /** The file that the step before left on the shared disk. */
    file: string;
    /** Namespace of the heartbeat that says the upload was verified. Default: none. */
    metrics?: string | undefined;
}

/** The last step of a backup: the upload, verified. */
export function uploadStep({ image, region, bucket, kind, label, file, metrics }: UploadArgs): TaskStep {
    const env: Record<string, Input<string>> = {
        AWS_DEFAULT_REGION: region,
        BUCKET: bucket.bucket,
        KIND: kind,
        LABEL: label,
        FILE: file,
        ...(metrics === undefined ? {} : { METRICS: metrics }),
        ...(bucket.lock !== undefined &&
            kind !== "manual" &&
            KEPT_DAYS[kind] > SHORTEST_DAYS && {
                LOCK_MODE: bucket.lock,
                LOCK_DAYS: String(KEPT_DAYS[kind]),
            }),
    };
    return { name: "upload", image, program: script("backup/upload.sh"), env };
}
