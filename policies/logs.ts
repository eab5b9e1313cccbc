import { BACKUPS } from "../core/numbers";
import { archiveOf } from "./buckets";
import { type PolicyResource, type Rule, type RuleResult } from "./rule";
import { eachOf, isTrial, ofType } from "./selectors";

/** Whether a resource is a log group. */
export const isLogGroup = ofType("aws:cloudwatch/logGroup:LogGroup");

/**
 * Whether a resource is a log group of a platform that is no trial, by the last part of its name: `audit`, `server`. A
 * stack's groups are below its own folder, such as `/mcp/production/`.
 */
export function isPlatformLog(resource: PolicyResource, log: "audit" | "server"): boolean {
    return (
        isLogGroup(resource) &&
        !isTrial(resource) &&
        new RegExp(`^/(?!aws/)[\\w-]+(/[\\w-]+)?/${log}$`).test(String(resource.props["name"]))
    );
}

/** The least number of days that is as many years, wherever their leap days are. */
export const AUDIT_DAYS = Math.ceil(BACKUPS.audit.retentionYears * 365.25);

/**
 * A check of the bucket that production's audit events are archived in. It reports on their log group, unless it names
 * the bucket.
 */
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
