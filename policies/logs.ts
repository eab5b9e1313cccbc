import { BACKUPS } from "../core/numbers";
import { archiveOf } from "./buckets";
import { type PolicyResource, type Rule, type RuleResult } from "./rule";
import { eachOf, isTrial, ofType } from "./selectors";

/** Whether a resource is a log group. */
export const isLogGroup = ofType("aws:cloudwatch/logGroup:LogGroup");

/**
 * Whether a resource is a log group of a production platform, by the last part of its name: `audit`, `server`. A
 * stack's groups share a prefix, such as `/mcp/production/`.
 */
export function isPlatformLog(resource: PolicyResource, log: "audit" | "server"): boolean {
    return (
        isLogGroup(resource) &&
        !isTrial(resource) &&
        new RegExp(`^/(?!aws/)[\\w-]+(/[\\w-]+)?/${log}$`).test(String(resource.props["name"]))
    );
}

/** Minimum number of days in that many years, with the fewest leap days. */
export const AUDIT_DAYS = Math.ceil(BACKUPS.audit.retentionYears * 365.25);

/** A check of production's archive bucket of audit events. It reports on the log group, unless it names the bucket. */
export function eachAuditArchive(
    check: (
        bucket: PolicyResource | undefined,
        resources: readonly PolicyResource[],
        verdict: RuleResult,
    ) => void,
): NonNullable<Rule["stack"]> {
    return eachOf(isLogGroup, (group, resources, verdict) => {
        if (isPlatformLog(group, "audit")) {
            check(archiveOf(group, resources), resources, verdict);
        }
    });
}
