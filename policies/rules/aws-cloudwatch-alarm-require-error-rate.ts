import { HIGH_ERROR_RATE_PERCENT } from "../../core/numbers";
import { isMetricAlarm, watches } from "../alarms";
import { type Rule } from "../rule";
import { eachOf, findOf, ofType } from "../selectors";

const isFilter = ofType("aws:cloudwatch/logMetricFilter:LogMetricFilter");

export const rule: Rule = {
    name: "aws-cloudwatch-alarm-require-error-rate",
    description: `Where errors are counted of a log, an alarm rings when more than ${HIGH_ERROR_RATE_PERCENT} % of the requests fail.`,
    severity: "critical",
    enforcement: "mandatory",
    frameworks: [],
    remediation: `Declare an alarm on 100 * Errors / Requests that is GreaterThanThreshold ${HIGH_ERROR_RATE_PERCENT}.`,
    runbook: "4.3.1",
    stack: eachOf(isFilter, (filter, resources, { report }) => {
        const { name, namespace } = filter.props["metricTransformation"] ?? {};
        const alarms = resources.filter(isMetricAlarm);
        if (name !== "Errors") {
            return;
        }
        const rate = findOf(
            alarms,
            (alarm) =>
                watches(alarm, namespace, "Errors") &&
                watches(alarm, namespace, "Requests") &&
                alarm.props["comparisonOperator"] === "GreaterThanThreshold" &&
                alarm.props["threshold"] === HIGH_ERROR_RATE_PERCENT,
        );
        if (rate === undefined) {
            report(`no alarm rings when more than ${HIGH_ERROR_RATE_PERCENT} % of the requests fail`);
        }
    }),
};
