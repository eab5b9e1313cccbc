import {
    HIGH_ERROR_RATE_PERCENT,
    MAJOR_ERROR_RATE_PERCENT,
    SLOW_REQUEST_MILLISECONDS,
} from "../../../core/numbers";
import { SLOW_RESPONSES, STATUS_SYMPTOMS } from "../../../core/symptoms";
import { type Alarm, formatMinutes, type Metric, share } from "../alarm";

/** Arguments of {@link trafficAlarms}. */
export interface TrafficAlarmsArgs {
    /** Namespace of the metrics from MCP Server's log. */
    namespace: string;
    /** Minimum number of requests, or tool executions, in five minutes for a share to be evaluated. */
    minimumRequests: number;
    /** Limit of the share of requests answered 401, in percent. Expired tokens cause some. */
    refusedSignIns: number;
    /** How long there may be no request, in minutes. Default: no limit. */
    quietMinutes: number | undefined;
}

/** Requests are slow or fail occasionally while pods move or tables are vacuumed. */
const mutedIn = ["patches", "database", "upgrade"] as const;

/** MCP Server's requests and tools, by its log. Sections 4.1, 4.3.1 and 6.1. */
export function trafficAlarms({
    namespace,
    minimumRequests,
    refusedSignIns,
    quietMinutes,
}: TrafficAlarmsArgs): Alarm[] {
    const sum = (name: string): Metric => ({ namespace, name, dimensions: {}, statistic: "Sum" });
    const ofRequests = (name: string) => share(sum(name), sum("Requests"), minimumRequests);
    const common = { comparison: ">", minutes: 5, missingData: "count" } as const;
    const errors = {
        ...common,
        cause: "A backend fails, the database or APIM is not reached, or the last release is broken.",
        resolution: "Find out which; roll the release back if the errors began with it.",
        procedure: "high-error-rate",
        metric: ofRequests("Errors"),
    } as const;
    const status = (
        code: keyof typeof STATUS_SYMPTOMS,
        severity: Alarm["severity"],
        threshold: number,
    ): Alarm => {
        const { symptom, cause, resolution, procedure } = STATUS_SYMPTOMS[code];
        return {
            ...common,
            id: `status-${code}`,
            severity,
            ...(severity === "P2" && { incident: "sign-in" }),
            meaning: `More than ${threshold} % of the requests are answered ${symptom}.`,
            cause: `${cause}.`,
            resolution: `${resolution}.`,
            procedure,
            metric: ofRequests(`Status${code}`),
            threshold,
            periods: 3,
            // The statuses that indicate a fault.
            ...(code >= 500 && { mutedIn }),
        };
    };
    return [
        {
            ...errors,
            id: "all-tools-failing",
            incident: "server",
            severity: "P1",
            meaning: "Every tool that is executed fails.",
            metric: share(sum("FailedToolExecutions"), sum("ToolExecutions"), minimumRequests),
            comparison: ">=",
            threshold: 100,
        },
        {
            ...errors,
            id: "error-rate-major",
            incident: "server",
            severity: "P2",
            meaning: `More than ${MAJOR_ERROR_RATE_PERCENT} % of the requests fail.`,
            threshold: MAJOR_ERROR_RATE_PERCENT,
        },
        {
            ...errors,
            id: "error-rate-high",
            severity: "P3",
            meaning: `More than ${HIGH_ERROR_RATE_PERCENT} % of the requests fail.`,
            threshold: HIGH_ERROR_RATE_PERCENT,
            periods: 2,
            mutedIn,
        },
        // If all requests are refused, authentication is down, which is a major degradation; an expired token of one
        // user is not.
        status(401, "P2", MAJOR_ERROR_RATE_PERCENT),
        // If a part of them is refused, one pod or one node may refuse all.
        { ...status(401, "P3", refusedSignIns), id: "status-401-partial" },
        status(403, "P3", HIGH_ERROR_RATE_PERCENT),
        status(429, "P4", HIGH_ERROR_RATE_PERCENT),
        status(500, "P3", HIGH_ERROR_RATE_PERCENT),
        status(503, "P3", HIGH_ERROR_RATE_PERCENT),
        {
            ...common,
            id: "slow-requests",
            severity: "P3",
            meaning: `More than ${HIGH_ERROR_RATE_PERCENT} % of the requests take longer than ${SLOW_REQUEST_MILLISECONDS / 1000} seconds.`,
            cause: `${SLOW_RESPONSES.cause}.`,
            resolution: `${SLOW_RESPONSES.resolution}.`,
            procedure: SLOW_RESPONSES.procedure,
            metric: ofRequests("SlowRequests"),
            threshold: HIGH_ERROR_RATE_PERCENT,
            periods: 3,
            mutedIn,
        },
        ...(quietMinutes === undefined
            ? []
            : [
                  {
                      id: "no-traffic",
                      incident: "entrance",
                      severity: "P2",
                      meaning: `No request has reached MCP Server for ${formatMinutes(quietMinutes)}.`,
                      cause: "The entry path is broken: DNS, certificate, ingress or network; or its log is not shipped.",
                      resolution: "Open mcp.msil.com; check the ingress, the pods and the log shipper.",
                      procedure: "health-matrix",
                      metric: sum("Requests"),
                      comparison: "<",
                      threshold: 1,
                      minutes: 5,
                      periods: quietMinutes / 5,
                      missingData: "heartbeat",
                  } as const,
              ]),
    ];
}
