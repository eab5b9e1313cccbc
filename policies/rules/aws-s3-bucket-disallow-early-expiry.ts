import { BACKUPS } from "../../core/numbers";
import { lifecycleOf } from "../buckets";
import { AUDIT_DAYS, eachAuditArchive } from "../logs";
import { type Rule } from "../rule";

const YEARS = BACKUPS.audit.retentionYears;

export const rule: Rule = {
    name: "aws-s3-bucket-disallow-early-expiry",
    description: `Neither a lifecycle nor an update takes production's audit events away before ${YEARS} years are over.`,
    severity: "critical",
    enforcement: "mandatory",
    exceptions: "none",
    frameworks: [],
    remediation: `Set forceDestroy to false, and no expiration before ${AUDIT_DAYS} days.`,
    runbook: "7.1",
    stack: eachAuditArchive((bucket, resources, { report, attempt }) => {
        // That there is one is another rule's question.
        if (bucket === undefined) {
            return;
        }
        attempt(() => {
            if (bucket.props["forceDestroy"] === true) {
                report("forceDestroy is true", bucket);
            }
        }, bucket);
        // Versions that are no longer current are under the lock as well: S3 itself keeps them.
        for (const { id, expiration } of lifecycleOf(bucket, resources)) {
            if (expiration?.date != null || expiration?.days < AUDIT_DAYS) {
                const found = expiration.date == null ? `after ${expiration.days} days` : "on a date";
                report(`its lifecycle rule ${id} expires events ${found}, expected none`, bucket);
            }
        }
    }),
};
