import { type Rule } from "../rule";
import { isStateMachine } from "../selectors";

export const rule: Rule = {
    name: "aws-sfn-state-machine-require-logs",
    description: "Every step of a state machine is logged and traced.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_284", "CKV_AWS_285", "AwsSolutions-SF1", "AwsSolutions-SF2"],
    remediation: "Set loggingConfiguration.level to ALL and tracingConfiguration.enabled to true.",
    resource(resource, { report, attempt }) {
        if (!isStateMachine(resource)) {
            return;
        }
        attempt(() => {
            const found = resource.props["loggingConfiguration"]?.level ?? "OFF";
            if (found !== "ALL") {
                report(`loggingConfiguration.level is ${found}, expected ALL`);
            }
        });
        if (resource.props["tracingConfiguration"]?.enabled !== true) {
            report("is not traced");
        }
    },
};
