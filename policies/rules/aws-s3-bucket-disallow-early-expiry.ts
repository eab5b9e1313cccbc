import { BACKUPS } from "../../core/numbers";
import { lifecycleOf } from "../buckets";
import { AUDIT_DAYS, eachAuditArchive } from "../logs";
import { type Rule } from "../rule";

const YEARS = BACKUPS.audit.retentionYears;

export const rule: Rule = {
    name: "aws-s3-bucket-disallow-early-expiry",
    description: `Neither a lifecycle nor an update deletes production's audit events within ${YEARS} years.`,
    severity: "critical",
    enforcement: "mandatory",
    exceptions: "none",
    frameworks: [],
    remediation: `Set forceDestroy to false, and no expiration before ${AUDIT_DAYS} days.`,
    runbook: "7.1",
    stack: eachAuditArchive((bucket, resources, { report, attempt }) => {
        // Another rule checks that there is one.
        if (bucket === undefined) {
            return;
        }
        attempt(() => {
            if (bucket.props["forceDestroy"] === true) {
                report("forceDestroy is true", bucket);
            }
        }, bucket);
        // Object Lock also covers noncurrent versions: S3 itself keeps them.
        for (const { id, expiration } of lifecycleOf(bucket, resources)) {
            if (expiration?.date != null || expiration?.days < AUDIT_DAYS) {
                const found = expiration.date == null ? `after ${expiration.days} days` : "on a date";
                report(`its lifecycle rule ${id} expires events ${found}, expected none`, bucket);
            }
        }
    }),
};
