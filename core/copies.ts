/** Time in which S3 commits itself to copy an object, in minutes: it offers no other. */
export const COPY_MINUTES = 15;

/** Name of the one rule that copies a bucket, which its metrics are published by. */
export const COPY_RULE = "everything";
