import { isInstance, parameterOf } from "../databases";
import { type Rule } from "../rule";
import { eachOf } from "../selectors";

export const rule: Rule = {
    name: "aws-rds-instance-require-tls",
    description: "PostgreSQL takes connections over TLS only.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV2_AWS_69"],
    remediation: "Set rds.force_ssl to 1 in the parameter group of the instance.",
    stack: eachOf(isInstance, (instance, resources, { report }) => {
        const found = parameterOf(instance, "rds.force_ssl", resources);
        if (found !== "1") {
            report(`rds.force_ssl is ${found ?? "not set"}, expected 1`);
        }
    }),
};
