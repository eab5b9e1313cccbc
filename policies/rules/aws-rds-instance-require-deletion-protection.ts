import { isInstance, isServing } from "../databases";
import { type Rule } from "../rule";
import { eachOf, isTrial } from "../selectors";

export const rule: Rule = {
    name: "aws-rds-instance-require-deletion-protection",
    description:
        "Outside of trials, neither AWS nor an update deletes a database; a restored one may be deleted until " +
        "services use it.",
    severity: "critical",
    enforcement: "mandatory",
    exceptions: "none",
    frameworks: ["CKV_AWS_293", "AwsSolutions-RDS10"],
    remediation: "Set deletionProtection and the resource option protect to true.",
    stack: eachOf(isInstance, (instance, resources, { report, attempt }) => {
        // A restored instance is inspected first, and may be removed again. Section 7.2.
        const isRecovery = instance.props["restoreToPointInTime"] != null && !isServing(instance, resources);
        if (isTrial(instance) || isRecovery) {
            return;
        }
        attempt(() => {
            if (instance.props["deletionProtection"] !== true) {
                report("deletionProtection is not true");
            }
        });
        if (!instance.protect) {
            report("is not protected from an update that deletes it");
        }
    }),
};
