import { type Rule } from "../rule";
import { asList, isConditional, statementsOf } from "../statements";

/** Actions by which somebody gives themselves, or a role they can take on, rights they do not have. */
const ESCALATING =
    /^iam:(AddUserToGroup|(Attach|Put)(Group|Role|User)Policy|Create(AccessKey|LoginProfile|PolicyVersion)|PassRole|SetDefaultPolicyVersion|Update(AssumeRolePolicy|LoginProfile))$/i;

/** Policies of AWS that allow as much. */
const ADMINISTRATION = /^arn:aws:iam::aws:policy\/(AdministratorAccess|IAMFullAccess|PowerUserAccess)$/;

export const rule: Rule = {
    name: "aws-iam-policy-disallow-escalation",
    description: "No role can give itself more rights than it has.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_286"],
    remediation:
        "Remove the action; iam:PassRole may stay on named roles under a condition on iam:PassedToService.",
    resource({ type, props }, { report }) {
        if (type === "aws:iam/rolePolicyAttachment:RolePolicyAttachment") {
            if (ADMINISTRATION.test(props["policyArn"])) {
                report(`attaches ${props["policyArn"]}`);
            }
            return;
        }
        if (!/^aws:iam\/(rolePolicy|policy):/.test(type)) {
            return;
        }
        for (const statement of statementsOf(props["policy"], "Allow")) {
            const allowed = asList(statement["Action"]).map(String);
            for (const action of allowed.filter((found) => ESCALATING.test(found))) {
                if (action.toLowerCase() !== "iam:passrole" || !isConditional(statement)) {
                    report(`allows ${action}`);
                }
            }
        }
    },
};
