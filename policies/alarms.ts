import { SEVERITIES, type Severity, SEVERITY_MATRIX } from "../core/numbers";
import { type PolicyResource } from "./rule";
import { findOf, isGiven, known, ofType } from "./selectors";
import { type Properties } from "./unknown";

/** Whether a resource is a metric alarm. */
export const isMetricAlarm = ofType("aws:cloudwatch/metricAlarm:MetricAlarm");

/** Whether a resource is a composite alarm. */
export const isComposite = ofType("aws:cloudwatch/compositeAlarm:CompositeAlarm");

/** Whether an alarm's actions also cover another alarm: it is that alarm, or a composite alarm that refers to it. */
export function actsFor(candidate: PolicyResource, alarm: PolicyResource): boolean {
    return (
        candidate.props["actionsEnabled"] !== false &&
        isGiven(candidate, "alarmActions") &&
        (candidate === alarm || asksFor(candidate, alarm))
    );
}

/** Whether the rule of a composite alarm refers to an alarm, with or without quotes. */
function asksFor(composite: PolicyResource, alarm: PolicyResource): boolean {
    const names: string[] = String(composite.props["alarmRule"]).match(/[^\s()"']+/g) ?? [];
    return names.includes(known("name")(alarm));
}

/** Differences of severity tags from the severity matrix. Section 4.1. */
export function disagreement({ severity, "response-minutes": minutes }: Properties): string | undefined {
    const expected = SEVERITY_MATRIX[severity as Severity]?.responseMinutes;
    if (expected === undefined) {
        return `severity is ${severity ?? "not set"}, expected one of ${SEVERITIES.join(", ")}`;
    }
    return minutes === String(expected)
        ? undefined
        : `response-minutes is ${minutes ?? "not set"}, expected ${expected}`;
}

/** Whether an alarm uses a metric, directly or in an expression. */
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
