import { type Rule } from "../rule";
import { asList, isForAnyone, statementsOf } from "../statements";

const PODS = "pods.eks.amazonaws.com";
const SERVICE_ACCOUNT = "aws:RequestTag/kubernetes-service-account";

export const rule: Rule = {
    name: "aws-iam-role-require-narrow-trust",
    description: "Roles name who may assume them, and pods only as one ServiceAccount.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_60", "CKV_AWS_61"],
    remediation: `Name the principal, and ask of ${PODS} by StringEquals for ${SERVICE_ACCOUNT}.`,
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
        }
    },
};
