import { type Input } from "@pulumi/pulumi";
import { metricsPermission, type PodIdentityArgs } from "../identity/podIdentity";
import { type BackupBucket, KEPT_DAYS, SHORTEST_DAYS } from "../storage/backupBucket";
import { script, type TaskStep } from "../tasks/task";

/** A prefix of the backup bucket, with its retention in section 7.1. */
export type BackupKind = "daily" | "weekly" | "manual" | "kubernetes";

/** Rights to upload below these prefixes, to verify the upload, and to publish the heartbeat to `metrics`. */
export function uploadPermissions(
    { arn, keyArn, lock }: Pick<BackupBucket, "arn" | "keyArn" | "lock">,
    kinds: readonly BackupKind[],
    metrics?: string,
): PodIdentityArgs["permissions"] {
    return [
        {
            // Reading an object's size and checksum needs the right to read the object.
            actions: [
                "s3:PutObject",
                "s3:AbortMultipartUpload",
                "s3:GetObject",
                ...(lock === undefined ? [] : ["s3:PutObjectRetention"]),
            ],
            resources: kinds.map((kind) => `${arn}/${kind}/*`),
        },
        // Completing a multipart upload, and reading a checksum, decrypts.
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
    /** Name of the file's subject, used in its name in the bucket. */
    label: string;
    /** The file that the previous step left on the shared volume. */
    file: string;
    /** CloudWatch namespace of the heartbeat of a verified upload. Default: no heartbeat. */
    metrics?: string | undefined;
}

/** The last step of a backup: a verified upload. */
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
