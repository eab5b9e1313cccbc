import { isInstance } from "../databases";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "aws-rds-instance-disallow-public-access",
    description: "No database has an address on the internet.",
    severity: "critical",
    enforcement: "mandatory",
    exceptions: "none",
    frameworks: ["CKV_AWS_17"],
    remediation: "Set publiclyAccessible to false.",
    resource(resource, { report }) {
        if (isInstance(resource) && resource.props["publiclyAccessible"] === true) {
            report("has an address on the internet");
        }
    },
};
