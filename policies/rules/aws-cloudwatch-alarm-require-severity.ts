import { actsFor, disagreement, isComposite, isMetricAlarm } from "../alarms";
import { type Rule } from "../rule";
import { eachOf, findOf, isGiven, leadsTo, ofType } from "../selectors";

export const rule: Rule = {
    name: "aws-cloudwatch-alarm-require-severity",
    description:
        "Alarms carry a severity and its response time as the matrix has them, and call the topic of that severity.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: [],
    remediation:
        "Tag the alarm with a severity of the matrix in core/numbers.ts and its response-minutes, and let alarmActions name that severity's topic alone.",
    runbook: "4.1",
    stack: eachOf(isMetricAlarm, (alarm, resources, { report }) => {
        const tags = alarm.props["tags"] ?? {};
        const found = disagreement(tags);
        if (found !== undefined) {
            report(found);
            return;
        }
        // An alarm without actions is part of composite alarms that have them.
        const callers = isGiven(alarm, "alarmActions")
            ? [alarm]
            : resources.filter(isComposite).filter((composite) => actsFor(composite, alarm));
        const called = resources
            .filter(ofType("aws:sns/topic:Topic"))
            .filter(
                (topic) => findOf(callers, (caller) => leadsTo(caller, "alarmActions", topic)) !== undefined,
            )
            .map((topic) => topic.props["tags"]?.severity);
        if (!called.includes(tags.severity)) {
            report(`calls no topic of severity ${tags.severity}`);
        }
        for (const other of called.filter((severity) => severity !== tags.severity)) {
            report(`calls a topic of severity ${other ?? "none"}, expected ${tags.severity}`);
        }
    }),
};
