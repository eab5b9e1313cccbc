import { HIGH_ERROR_RATE_PERCENT, MAJOR_ERROR_RATE_PERCENT } from "../../../core/numbers";
import { type Alarm, type Expression, type Metric } from "../alarm";

/** Arguments of {@link applicationAlarms}: names are those that MCP Server gives its own metrics. */
export interface ApplicationAlarmsArgs {
    /** Namespace of the metrics that are collected from its pods, and its name among their sources. */
    namespace: string;
    service: string;
    /** State of a circuit breaker, and the least value that is an open one. */
    circuitBreaker: { metric: string; open: number };
    /** Connections of a pod's pool that are in use and that it has, and the share that may be in use, in percent. */
    pool: { used: string; size: string; share: number };
    /** Requests, and those of them that failed, since the last look. */
    requests: { total: string; errors: string };
    /** Duration of requests, and its longest mean in five minutes, in the metric's unit. */
    duration: { metric: string; most: number };
    /** Fewest requests in five minutes that a share may be judged by. */
    minimumRequests: number;
}

/** MCP Server, by what it says of itself. Sections 4.3.1 step 4, 4.3.2 step 2 and 6.3. */
export function applicationAlarms({
    namespace,
    service,
    circuitBreaker,
    pool,
    requests,
    duration,
    minimumRequests,
}: ApplicationAlarmsArgs): Alarm[] {
    const of = (name: string, statistic: Metric["statistic"]): Metric => ({
        namespace,
        name,
        dimensions: { Service: service },
        statistic,
    });
    // They are asked for all the time: a name that MCP Server does not know must not go unnoticed.
    const common = {
        severity: "P3",
        minutes: 5,
        missingData: "heartbeat",
        mutedIn: ["patches", "database", "upgrade"],
    } as const;
    // A counter of errors begins with the first of them.
    const failed: Expression = {
        expression: `IF(total >= ${minimumRequests}, 100 * FILL(part, 0) / total, 0)`,
        metrics: { part: of(requests.errors, "Sum"), total: of(requests.total, "Sum") },
    };
    const errors = {
        cause: "A backend fails, the database or APIM is not reached, or the last release is broken.",
        resolution: "Find out which; roll the release back if the errors began with it.",
        procedure: "high-error-rate",
        metric: failed,
        comparison: ">",
        minutes: 5,
        missingData: "count",
    } as const;
    return [
        {
            ...errors,
            id: "application-errors-major",
            severity: "P2",
            incident: "server",
            meaning: `MCP Server counts more than ${MAJOR_ERROR_RATE_PERCENT} % of its requests as failed.`,
            threshold: MAJOR_ERROR_RATE_PERCENT,
        },
        {
            ...common,
            ...errors,
            id: "application-errors",
            meaning: `MCP Server counts more than ${HIGH_ERROR_RATE_PERCENT} % of its requests as failed.`,
            threshold: HIGH_ERROR_RATE_PERCENT,
            periods: 2,
        },
        {
            ...common,
            id: "request-duration",
            meaning: `MCP Server's requests take more than ${duration.most} on average, in the unit of ${duration.metric}.`,
            cause: "The database, APIM or a pod short of CPU is slow.",
            resolution: "See which on the dashboard; scale up, or follow slow-responses.",
            procedure: "slow-responses",
            metric: of(duration.metric, "Average"),
            comparison: ">",
            threshold: duration.most,
            periods: 3,
            missingData: "count",
        },
        {
            ...common,
            id: "requests-uncounted",
            meaning: `No pod of MCP Server has reported ${requests.total} for 30 minutes.`,
            cause: `The collector does not reach the pods, or MCP Server has another name for ${requests.total}.`,
            resolution:
                "kubectl logs of the collector; curl /metrics in a pod shows the names: mcp:alarms.application.",
            procedure: "dashboard",
            // Never true of a value, so that silence alone makes it ring.
            metric: of(requests.total, "Sum"),
            comparison: "<",
            threshold: 0,
            periods: 6,
        },
        {
            ...common,
            id: "circuit-breaker",
            meaning: "A circuit breaker is open: calls of a backend are refused without being tried.",
            cause: `The backend fails or is not reached; or no pod reports ${circuitBreaker.metric}.`,
            resolution:
                "It closes by itself once the backend answers; disable the tools that need it until then.",
            procedure: "high-error-rate",
            metric: of(circuitBreaker.metric, "Maximum"),
            comparison: ">=",
            threshold: circuitBreaker.open,
            periods: 2,
        },
        {
            ...common,
            id: "connection-pool",
            meaning: `A pod uses more than ${pool.share} % of its connections to the database.`,
            cause: `Connections leak, or statements are slow; or no pod reports ${pool.used} and ${pool.size}.`,
            resolution: "Restart gracefully; look for slow statements and for the leak.",
            procedure: "database-connections",
            metric: {
                // The fullest against the smallest: pods are alike.
                expression: "100 * used / size",
                metrics: { used: of(pool.used, "Maximum"), size: of(pool.size, "Minimum") },
            },
            comparison: ">",
            threshold: pool.share,
            periods: 3,
        },
    ];
}
