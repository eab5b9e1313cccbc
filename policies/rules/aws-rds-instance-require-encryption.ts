import { isInstance } from "../databases";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "aws-rds-instance-require-encryption",
    description: "Databases are encrypted, with their backups and snapshots.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_16", "CIS-AWS-5.0-2.2.1", "AwsSolutions-RDS2"],
    remediation:
        "Set storageEncrypted to true; a database that is not encrypted must be restored from a copy.",
    resource(resource, { report }) {
        if (isInstance(resource) && resource.props["storageEncrypted"] !== true) {
            report("is not encrypted");
        }
    },
};
