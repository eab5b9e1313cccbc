import { type PolicyResource, type Rule } from "../rule";
import { asList, isConditional, statementsOf } from "../statements";
import { type Properties } from "../unknown";

/** Actions that let a principal raise its own rights, or those of a role that it can assume. */
const ESCALATING =
    /^iam:(AddUserToGroup|(Attach|Put)(Group|Role|User)Policy|Create(AccessKey|LoginProfile|PolicyVersion)|PassRole|SetDefaultPolicyVersion|Update(AssumeRolePolicy|LoginProfile))$/i;

/** AWS managed policies with such rights, or with the right to read everything. */
const ADMINISTRATION =
    /^arn:aws[\w-]*:iam::aws:policy\/(job-function\/)?(AdministratorAccess|IAMFullAccess|PowerUserAccess|SystemAdministrator|DatabaseAdministrator|ReadOnlyAccess|SecretsManagerReadWrite|AmazonS3FullAccess|AmazonRDSFullAccess|AWSKeyManagementServicePowerUser|AdministratorAccess-.+)$/;

/** A single role: its ARN contains no wildcard. */
const ONE_ROLE = /^arn:aws[\w-]*:iam::\d+:role\/[^*?]+$/;

/** IAM users and their credentials, which do not expire. */
const USER = /^aws:iam\/(user|accessKey|userLoginProfile|sshKey|serviceSpecificCredential):/;

export const rule: Rule = {
    name: "aws-iam-policy-disallow-escalation",
    description:
        "No role can raise its own rights or assume roles that are not named, and there are no IAM users.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_286", "CKV_AWS_274", "CKV_AWS_273"],
    remediation:
        "Remove the action or the policy; sts:AssumeRole may stay on named roles, iam:PassRole under a condition on iam:PassedToService too. In place of a user, give pods a role by pod identity and workflows one by OIDC.",
    resource(resource, { report, attempt }) {
        if (USER.test(resource.type)) {
            report("is a user of AWS, or credentials of one, which do not expire");
        }
        for (const arn of attachedTo(resource)) {
            if (ADMINISTRATION.test(arn)) {
                report(`attaches ${arn}`);
            }
        }
        for (const policy of documentsOf(resource)) {
            attempt(() => {
                for (const statement of statementsOf(policy(), "Allow")) {
                    checkStatement(statement, report);
                }
            });
        }
    },
};

/** ARNs of the policies that a resource attaches. */
function attachedTo({ type, props }: PolicyResource): string[] {
    if (/^aws:iam\/(role|user|group)?(policy|Policy)Attachment:/.test(type)) {
        return [String(props["policyArn"])];
    }
    return type === "aws:iam/role:Role" ? asList(props["managedPolicyArns"]).map(String) : [];
}

/** The inline policies of a resource, evaluated one by one. */
function documentsOf({ type, props }: PolicyResource): (() => unknown)[] {
    if (/^aws:iam\/((role|user|group)Policy|policy):/.test(type)) {
        return [() => props["policy"]];
    }
    if (type !== "aws:iam/role:Role") {
        return [];
    }
    const inline: Properties = props["inlinePolicies"] ?? [];
    return Object.keys(inline).map((index) => () => inline[index].policy);
}

function checkStatement(statement: Properties, report: (message: string) => void): void {
    for (const action of asList(statement["Action"]).map(String)) {
        const isPassing = action.toLowerCase() === "iam:passrole";
        const isNamed = asList(statement["Resource"]).every((role) => ONE_ROLE.test(String(role)));
        if (ESCALATING.test(action) && !(isPassing && isNamed && isConditional(statement))) {
            report(`allows ${action}`);
        }
        if (action.toLowerCase() === "sts:assumerole" && !isNamed) {
            report(`allows ${action} on roles that it does not name`);
        }
    }
}
