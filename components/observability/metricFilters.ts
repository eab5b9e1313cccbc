import { type LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { LogMetricFilter } from "@pulumi/aws/cloudwatch/logMetricFilter";
import { type ComponentResource } from "@pulumi/pulumi";
import { SLOW_REQUEST_MILLISECONDS, TOOL_EXECUTION } from "../../core/numbers";
import { STATUS_SYMPTOMS } from "../../core/symptoms";

/** A metric from log events. */
export interface LogMetric {
    metric: string;
    /** Filter pattern of CloudWatch. */
    pattern: string;
    /** Field whose number is the value, such as `$.duration_ms`. Default: each event counts one. */
    value?: string;
}

/** Fields of MCP Server's log lines, and the paths that users do not request. */
export interface ServerLogFields {
    /** Field with the HTTP status. */
    statusField: string;
    /** Field with the path of a request. */
    pathField: string;
    /** Paths that probes and the collector request. */
    probePaths: readonly string[];
}

/**
 * Metrics from MCP Server's log: the runbook's three patterns, one for each status of section 6.1, and the totals for
 * shares. Section 6.2. Requests of probes and the collector are excluded, because they would lower shares and look like
 * traffic.
 */
export function serverMetrics({ statusField, pathField, probePaths }: ServerLogFields): LogMetric[] {
    const status = `$.${statusField}`;
    const path = `$.${pathField}`;
    // CloudWatch matches a missing field to nothing, so both cases are excluded.
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

/** Creates metrics from a log group's events. They have no dimensions, so that minutes without an event count as 0. */
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
                    // A duration has no default value: without an event there is none.
                    ...(value === undefined
                        ? { value: "1", defaultValue: "0", unit: "Count" }
                        : { value, unit: "Milliseconds" }),
                },
            },
            { parent },
        );
    }
}
