import { LOG_RETENTION_DAYS } from "../../core/numbers";
import { isLogGroup, isPlatformLog } from "../logs";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "aws-cloudwatch-log-group-require-retention",
    description: `Log groups are kept for a time, and MCP Server's (/mcp/production/server), outside of trials, for ${LOG_RETENTION_DAYS} days exactly.`,
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_66"],
    remediation: `Set retentionInDays; of /mcp/production/server to ${LOG_RETENTION_DAYS}.`,
    runbook: "5.3",
    resource(resource, { report }) {
        if (!isLogGroup(resource)) {
            return;
        }
        // 0 means unlimited.
        const found = resource.props["retentionInDays"] || undefined;
        const isServer = isPlatformLog(resource, "server");
        if (found === undefined || (isServer && found !== LOG_RETENTION_DAYS)) {
            const expected = isServer ? LOG_RETENTION_DAYS : "a number of days";
            report(`retentionInDays is ${found ?? "not set"}, expected ${expected}`);
        }
    },
};
