import { BACKUPS } from "../../core/numbers";
import { settingOf } from "../buckets";
import { AUDIT_DAYS, eachAuditArchive } from "../logs";
import { type Rule } from "../rule";

const YEARS = BACKUPS.audit.retentionYears;

export const rule: Rule = {
    name: "aws-s3-bucket-require-compliance-lock",
    description:
        `Production's audit events go to a bucket where they cannot be deleted for ${YEARS} years, not ` +
        "even by the account's root user.",
    severity: "critical",
    enforcement: "mandatory",
    exceptions: "none",
    frameworks: [],
    remediation: `Subscribe a delivery stream to the audit log group, and give its bucket a default retention of ${YEARS} years in COMPLIANCE mode.`,
    runbook: "7.1",
    stack: eachAuditArchive((bucket, resources, { report }) => {
        if (bucket === undefined) {
            report("its events go to no bucket of the stack");
            return;
        }
        const lock = settingOf(bucket, "ObjectLockConfiguration", resources);
        const { mode, years, days } = lock?.props["rule"]?.defaultRetention ?? {};
        if (mode !== "COMPLIANCE") {
            report(`its Object Lock is in mode ${mode ?? "none"}, expected COMPLIANCE`, bucket);
        }
        if (days == null ? !(years >= YEARS) : days < AUDIT_DAYS) {
            const found = days == null ? `${years ?? 0} years` : `${days} days`;
            report(`its Object Lock holds for ${found}, expected ${YEARS} years`, bucket);
        }
    }),
};
