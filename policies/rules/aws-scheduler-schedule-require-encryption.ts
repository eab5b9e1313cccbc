import { type Rule } from "../rule";
import { isSchedule } from "../schedules";
import { eachOf, namesOwnKey } from "../selectors";

export const rule: Rule = {
    name: "aws-scheduler-schedule-require-encryption",
    description: "Schedules are encrypted under a key of the account.",
    severity: "low",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_297"],
    remediation: "Set kmsKeyArn to a key of the stack.",
    stack: eachOf(isSchedule, (schedule, _resources, { report }) => {
        if (!namesOwnKey(schedule, "kmsKeyArn")) {
            report("is not encrypted under a key of the account");
        }
    }),
};
