import { type LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { LogMetricFilter } from "@pulumi/aws/cloudwatch/logMetricFilter";
import { type ComponentResource } from "@pulumi/pulumi";
import { SLOW_REQUEST_MILLISECONDS, TOOL_EXECUTION } from "../../core/numbers";
import { STATUS_SYMPTOMS } from "../../core/symptoms";

/** A metric that is made of log events. */
export interface LogMetric {
    metric: string;
    /** Which events count, as CloudWatch takes it. */
    pattern: string;
    /** Field whose number is the value, such as `$.duration_ms`. Default: each event counts one. */
    value?: string;
}

/** Fields of MCP Server's log lines, and what in them is no request of a user. */
export interface ServerLogFields {
    /** Field that holds the HTTP status of an answer. */
    statusField: string;
    /** Field that holds the path of a request. */
    pathField: string;
    /** Paths that probes and the collector ask for. */
    probePaths: readonly string[];
}

/**
 * Metrics of MCP Server's log: the runbook's three patterns, one for each status of section 6.1, and what the shares
 * are of. Section 6.2. Requests of probes and of the collector are none of users: they would make a small share of a large
 * one, and traffic of none.
 */
export function serverMetrics({ statusField, pathField, probePaths }: ServerLogFields): LogMetric[] {
    const status = `$.${statusField}`;
    const path = `$.${pathField}`;
    // CloudWatch compares a field that is not there with nothing.
    const others = probePaths.map((probe) => `${path} != "${probe}"`).join(" && ");
    const ofUsers = (what: string) =>
        others === "" ? `{ ${what} }` : `{ ${what} && (${path} NOT EXISTS || (${others})) }`;
    return [
        { metric: "ErrorLines", pattern: "ERROR" },
        {
            metric: "FailedToolExecutions",
            pattern: `{ $.status = "error" && $.event_type = "${TOOL_EXECUTION}" }`,
        },
        { metric: "ToolExecutions", pattern: `{ $.event_type = "${TOOL_EXECUTION}" }` },
        { metric: "SlowRequests", pattern: `{ $.duration_ms > ${SLOW_REQUEST_MILLISECONDS} }` },
        { metric: "RequestMilliseconds", pattern: ofUsers("$.duration_ms >= 0"), value: "$.duration_ms" },
        { metric: "Requests", pattern: ofUsers(`${status} >= 100`) },
        { metric: "Errors", pattern: ofUsers(`${status} >= 500`) },
        ...Object.keys(STATUS_SYMPTOMS).map((code) => ({
            metric: `Status${code}`,
            pattern: ofUsers(`${status} = ${code}`),
        })),
    ];
}

/** Makes metrics of a log group's events. None has dimensions, so that minutes without such an event count as 0. */
export function declareMetricFilters(
    name: string,
    { group, namespace, metrics }: { group: LogGroup; namespace: string; metrics: readonly LogMetric[] },
    parent: ComponentResource,
): void {
    for (const { metric, pattern, value } of metrics) {
        new LogMetricFilter(
            `${name}-${metric}`,
            {
                name: metric,
                logGroupName: group.name,
                pattern,
                metricTransformation: {
                    namespace,
                    name: metric,
                    // Without an event there is no duration, which is not one of 0.
                    ...(value === undefined
                        ? { value: "1", defaultValue: "0", unit: "Count" }
                        : { value, unit: "Milliseconds" }),
                },
            },
            { parent },
        );
    }
}
