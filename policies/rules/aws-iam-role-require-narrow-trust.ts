import { type Rule } from "../rule";
import { asList, isConditional, isForAnyone, statementsOf } from "../statements";

const PODS = "pods.eks.amazonaws.com";
const SERVICE_ACCOUNT = "aws:RequestTag/kubernetes-service-account";

export const rule: Rule = {
    name: "aws-iam-role-require-narrow-trust",
    description:
        "Roles name who may assume them: pods as one ServiceAccount, tokens by their subject, accounts under a condition.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_60", "CKV_AWS_61"],
    remediation:
        `Name the principal; require for ${PODS} by StringEquals ${SERVICE_ACCOUNT}, for tokens their ` +
        "sub, and for accounts sts:ExternalId or aws:PrincipalOrgID.",
    resource({ type, props }, { report }) {
        if (type !== "aws:iam/role:Role") {
            return;
        }
        for (const statement of statementsOf(props["assumeRolePolicy"], "Allow")) {
            if (isForAnyone(statement)) {
                report("lets anybody assume the role");
            }
            const isForPods = asList(statement["Principal"]?.Service).includes(PODS);
            if (isForPods && statement["Condition"]?.StringEquals?.[SERVICE_ACCOUNT] === undefined) {
                report("lets the pods of every ServiceAccount assume the role");
            }
            const isForTokens = asList(statement["Principal"]?.Federated).length > 0;
            if (isForTokens && !isConditional(statement)) {
                report("lets every token of an issuer assume the role");
            }
            const accounts = asList(statement["Principal"]?.AWS).filter((principal) => principal !== "*");
            if (accounts.length > 0 && !isConditional(statement)) {
                report(`lets ${accounts.join(", ")} assume the role without a condition`);
            }
        }
    },
};
