import { HIGH_ERROR_RATE_PERCENT, MAJOR_ERROR_RATE_PERCENT } from "../../../core/numbers";
import { type Alarm, type Expression, type Metric } from "../alarm";

/** Arguments of {@link applicationAlarms}: the names of MCP Server's metrics. */
export interface ApplicationAlarmsArgs {
    /** Namespace of the collected metrics, and the service's name among their sources. */
    namespace: string;
    service: string;
    /** State of a circuit breaker, and the lowest value of an open one. */
    circuitBreaker: { metric: string; open: number };
    /** Connections in use and size of a pod's pool, and the limit of the share in use, in percent. */
    pool: { used: string; size: string; share: number };
    /** Requests and failed requests since the last scrape. */
    requests: { total: string; errors: string };
    /** Duration of requests, and the limit of its mean over five minutes, in the metric's unit. */
    duration: { metric: string; most: number };
    /** Minimum number of requests in five minutes for a share to be evaluated. */
    minimumRequests: number;
}

/** Alarms on MCP Server's metrics. Sections 4.3.1 step 4, 4.3.2 step 2 and 6.3. */
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
    // Scraped all the time: an unknown metric name must not go unnoticed.
    const common = {
        severity: "P3",
        minutes: 5,
        missingData: "heartbeat",
        mutedIn: ["patches", "database", "upgrade"],
    } as const;
    // An error counter has no data before the first error.
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
            // No value satisfies this: the alarm fires on missing data only.
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
                "It closes by itself after the backend recovers; until then disable the tools that need it.",
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
            resolution: "Restart gracefully; then find slow statements and the leak.",
            procedure: "database-connections",
            metric: {
                // Maximum over minimum, because all pods have pools of the same size.
                expression: "100 * used / size",
                metrics: { used: of(pool.used, "Maximum"), size: of(pool.size, "Minimum") },
            },
            comparison: ">",
            threshold: pool.share,
            periods: 3,
        },
    ];
}
