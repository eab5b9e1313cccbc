import { isInstance } from "../databases";
import { type Rule } from "../rule";
import { isTrial } from "../selectors";

export const rule: Rule = {
    name: "aws-rds-instance-require-multi-az",
    description: "Outside of trials, a second zone takes over when a database's zone fails.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_157", "AwsSolutions-RDS3"],
    remediation: "Set multiAz to true.",
    resource(resource, { report }) {
        if (isInstance(resource) && !isTrial(resource) && resource.props["multiAz"] !== true) {
            report("is in one zone only");
        }
    },
};
