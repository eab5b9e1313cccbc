import { TIME_ZONE } from "../../core/numbers";
import { type Rule } from "../rule";
import { isSchedule } from "../schedules";

export const rule: Rule = {
    name: "aws-scheduler-schedule-require-time-zone",
    description: `Schedules go by the clock of ${TIME_ZONE}, which every time of the runbook is meant in.`,
    severity: "medium",
    enforcement: "mandatory",
    frameworks: [],
    remediation: `Set scheduleExpressionTimezone to ${TIME_ZONE}: without it the zone is UTC.`,
    runbook: "5.1",
    resource(resource, { report }) {
        // A rate has no time of day.
        if (!isSchedule(resource) || /^rate\(/.test(resource.props["scheduleExpression"])) {
            return;
        }
        const found = resource.props["scheduleExpressionTimezone"];
        if (found !== TIME_ZONE) {
            report(`scheduleExpressionTimezone is ${found ?? "not set"}, expected ${TIME_ZONE}`);
        }
    },
};
