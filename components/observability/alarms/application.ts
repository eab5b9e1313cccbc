import { type Alarm, type Metric } from "../alarm";

/** Arguments of {@link applicationAlarms}: names are those that MCP Server gives its own metrics. */
export interface ApplicationAlarmsArgs {
    /** Namespace of the metrics that are collected from its pods, and its name among their sources. */
    namespace: string;
    service: string;
    /** State of a circuit breaker, and the least value that is an open one. */
    circuitBreaker: { metric: string; open: number };
    /** Connections of a pod's pool that are in use and that it has, and the share that may be in use, in percent. */
    pool: { used: string; size: string; share: number };
}

/** MCP Server, by what it says of itself. Sections 4.3.1 step 4 and 4.3.2 step 2. */
export function applicationAlarms({
    namespace,
    service,
    circuitBreaker,
    pool,
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
    return [
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
