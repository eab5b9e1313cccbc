import { type Rule } from "../rule";
import { asList, statementsOf } from "../statements";
import { type Properties } from "../unknown";

/**
 * One object, or everything inside one; a colon precedes a log group's streams, a prefix the names of snapshots and
 * alarms.
 */
const EXACT_RESOURCE = /^[^*?]+(\/\*|:log-group:[^*?]+:\*|:snapshot:([^*?]+-)?\*|:alarm:[^*?]+-\*)?$/;

/** Actions that do not support resource-level rights. */
const RESOURCELESS = [
    /^cloudwatch:GetMetricData$/,
    /^logs:((Create|Delete|Get|Update)LogDelivery|ListLogDeliveries|PutResourcePolicy|Describe(LogGroups|ResourcePolicies))$/,
    /^s3:ListAllMyBuckets$/,
    /^ssm:(CancelCommand|Describe(InstanceInformation|OpsItems)|GetCommandInvocation|ListCommand(s|Invocations))$/,
    /^tag:GetResources$/,
    /^xray:(GetSampling(Rules|Targets)|Put(TelemetryRecords|TraceSegments))$/,
];

/** Whether publishing metrics, which supports no resource, is limited to one namespace. */
function isOfOneNamespace(action: string, { Condition }: Properties): boolean {
    return (
        action === "cloudwatch:PutMetricData" &&
        Condition?.StringEquals?.["cloudwatch:namespace"] !== undefined
    );
}

export const rule: Rule = {
    name: "aws-iam-policy-disallow-wildcard",
    description: "IAM policies name the actions and resources they allow.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_62", "CKV_AWS_63", "CKV_AWS_355"],
    remediation: "List exact actions, and ARNs with at most a final /*.",
    resource({ type, props }, { report }) {
        if (!/^aws:iam\/(rolePolicy|policy):/.test(type)) {
            return;
        }
        for (const statement of statementsOf(props["policy"], "Allow")) {
            const actions = asList(statement["Action"]).map(String);
            for (const action of actions) {
                if (/[*?]/.test(action)) {
                    report(`allows the action ${action}`);
                }
            }
            for (const resource of asList(statement["Resource"]).map(String)) {
                const everything =
                    resource === "*" &&
                    actions.every(
                        (action) =>
                            RESOURCELESS.some((known) => known.test(action)) ||
                            isOfOneNamespace(action, statement),
                    );
                if (!everything && !EXACT_RESOURCE.test(resource)) {
                    report(`allows the resource ${resource}`);
                }
            }
            for (const key of ["NotAction", "NotResource"].filter((key) => key in statement)) {
                report(`allows everything outside of ${key}`);
            }
        }
    },
};
