import { type PolicyResource, type Rule } from "../rule";
import { eachOf, findOf, isGiven, known } from "../selectors";

const isMetricAlarm = (type: string) => type === "aws:cloudwatch/metricAlarm:MetricAlarm";
const isComposite = (type: string) => type === "aws:cloudwatch/compositeAlarm:CompositeAlarm";

export const rule: Rule = {
    name: "aws-cloudwatch-alarm-require-actions",
    description: "Alarms call somebody, by themselves or as a part of a composite alarm that does.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_319"],
    remediation: "Set alarmActions to the topic of the alarm's severity, and leave actionsEnabled as it is.",
    stack: eachOf(
        ({ type }) => isMetricAlarm(type) || isComposite(type),
        (alarm, resources, { report }) => {
            const callers = [alarm, ...resources.filter(({ type }) => isComposite(type))];
            const caller = findOf(
                callers,
                (candidate) => acts(candidate) && (candidate === alarm || watches(candidate, alarm)),
            );
            if (caller === undefined) {
                report("calls nobody");
            }
        },
    ),
};

function acts(alarm: PolicyResource): boolean {
    return alarm.props["actionsEnabled"] !== false && isGiven(alarm, "alarmActions");
}

/** Whether the rule of a composite alarm asks for another alarm, with or without quotes. */
function watches(composite: PolicyResource, alarm: PolicyResource): boolean {
    const names: string[] = String(composite.props["alarmRule"]).match(/[^\s()"']+/g) ?? [];
    return names.includes(known("name")(alarm));
}
