import { SEVERITIES, type Severity, SEVERITY_MATRIX } from "../core/numbers";
import { type PolicyResource } from "./rule";
import { findOf, isGiven, known, ofType } from "./selectors";
import { type Properties } from "./unknown";

/** Whether a resource is an alarm on a metric. */
export const isMetricAlarm = ofType("aws:cloudwatch/metricAlarm:MetricAlarm");

/** Whether a resource is an alarm on other alarms. */
export const isComposite = ofType("aws:cloudwatch/compositeAlarm:CompositeAlarm");

/** Whether an alarm calls somebody about another: it is that alarm, or a composite one that asks for it. */
export function actsFor(candidate: PolicyResource, alarm: PolicyResource): boolean {
    return (
        candidate.props["actionsEnabled"] !== false &&
        isGiven(candidate, "alarmActions") &&
        (candidate === alarm || asksFor(candidate, alarm))
    );
}

/** Whether the rule of a composite alarm asks for another alarm, with or without quotes. */
function asksFor(composite: PolicyResource, alarm: PolicyResource): boolean {
    const names: string[] = String(composite.props["alarmRule"]).match(/[^\s()"']+/g) ?? [];
    return names.includes(known("name")(alarm));
}

/** What disagrees with the severity matrix in tags that name a severity. Section 4.1. */
export function disagreement({ severity, "response-minutes": minutes }: Properties): string | undefined {
    const expected = SEVERITY_MATRIX[severity as Severity]?.responseMinutes;
    if (expected === undefined) {
        return `severity is ${severity ?? "not set"}, expected one of ${SEVERITIES.join(", ")}`;
    }
    return minutes === String(expected)
        ? undefined
        : `response-minutes is ${minutes ?? "not set"}, expected ${expected}`;
}

/** Whether an alarm watches a metric, by itself or among others that it computes with. */
export function watches({ props }: PolicyResource, namespace: string, metricName: string): boolean {
    const queries: Properties[] = props["metricQueries"] ?? [];
    const metrics: Properties[] = [props, ...queries.map(({ metric }) => metric ?? {})];
    return (
        findOf(
            metrics,
            (metric) => metric["metricName"] === metricName && metric["namespace"] === namespace,
        ) !== undefined
    );
}
