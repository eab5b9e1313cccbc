/** Limit of S3 Replication Time Control, in minutes. S3 offers no other. */
export const COPY_MINUTES = 15;

/** Name of a bucket's replication rule, under which S3 publishes its metrics. */
export const COPY_RULE = "everything";
