import { isMetricAlarm } from "../alarms";
import { type PolicyResource, type Rule } from "../rule";
import { eachOf, findOf, isGiven, known, ofType } from "../selectors";

export const rule: Rule = {
    name: "aws-cloudwatch-alarm-require-actions",
    description: "Alarms call somebody, by themselves or as a part of a composite alarm that does.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_319"],
    remediation: "Set alarmActions to the topic of the alarm's severity, and leave actionsEnabled as it is.",
    stack: eachOf(isMetricAlarm, (alarm, resources, { report }) => {
        const composites = resources.filter(ofType("aws:cloudwatch/compositeAlarm:CompositeAlarm"));
        const caller = findOf(
            [alarm, ...composites],
            (candidate) => acts(candidate) && (candidate === alarm || watches(candidate, alarm)),
        );
        if (caller === undefined) {
            report("calls nobody");
        }
    }),
};

function acts(alarm: PolicyResource): boolean {
    return alarm.props["actionsEnabled"] !== false && isGiven(alarm, "alarmActions");
}

/** Whether the rule of a composite alarm asks for another alarm, with or without quotes. */
function watches(composite: PolicyResource, alarm: PolicyResource): boolean {
    const names: string[] = String(composite.props["alarmRule"]).match(/[^\s()"']+/g) ?? [];
    return names.includes(known("name")(alarm));
}
