import { isInstance, parameterOf } from "../databases";
import { type Rule } from "../rule";
import { eachOf } from "../selectors";

const PARAMETER = "log_min_duration_statement";

export const rule: Rule = {
    name: "aws-rds-instance-require-query-logs",
    description: "PostgreSQL logs slow statements, and RDS hands its log to CloudWatch.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_129", "CKV2_AWS_30"],
    remediation: `Add postgresql to enabledCloudwatchLogsExports, and ${PARAMETER} to the parameter group.`,
    stack: eachOf(isInstance, (instance, resources, { report, attempt }) => {
        attempt(() => {
            const exported: string[] = instance.props["enabledCloudwatchLogsExports"] ?? [];
            if (!exported.includes("postgresql")) {
                report("does not hand its log to CloudWatch");
            }
        });
        const found = parameterOf(instance, PARAMETER, resources);
        // In milliseconds; -1 disables the log.
        if (found === undefined || Number(found) < 0) {
            report(`${PARAMETER} is ${found ?? "not set"}, expected 0 or more`);
        }
    }),
};
