import { BACKUPS } from "../core/numbers";
import { archiveOf } from "./buckets";
import { type PolicyResource, type Rule, type RuleResult } from "./rule";
import { eachOf, ofType } from "./selectors";

/** Whether a resource is a log group. */
export const isLogGroup = ofType("aws:cloudwatch/logGroup:LogGroup");

/** Log group of production's audit events. Section 7.1. */
const AUDIT_LOG = "/mcp/production/audit";

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
        if (group.props["name"] === AUDIT_LOG) {
            check(archiveOf(group, resources), resources, verdict);
        }
    });
}
