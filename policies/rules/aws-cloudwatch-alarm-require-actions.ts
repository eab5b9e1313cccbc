import { actsFor, isComposite, isMetricAlarm } from "../alarms";
import { type Rule } from "../rule";
import { eachOf, findOf } from "../selectors";

export const rule: Rule = {
    name: "aws-cloudwatch-alarm-require-actions",
    description: "Alarms have actions, directly or through a composite alarm.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_319"],
    remediation: "Set alarmActions to the topic of the alarm's severity, and leave actionsEnabled as it is.",
    stack: eachOf(isMetricAlarm, (alarm, resources, { report }) => {
        const caller = findOf([alarm, ...resources.filter(isComposite)], (candidate) =>
            actsFor(candidate, alarm),
        );
        if (caller === undefined) {
            report("has no actions");
        }
    }),
};
