import { type Alarm, type Metric } from "../alarm";

/** Arguments of {@link cacheAlarms}. */
export interface CacheAlarmsArgs {
    /** Name of the replication group. */
    group: string;
    /** Number of its nodes. */
    nodes: number;
    /** Limit of memory in use, in percent. */
    memory: number;
    /** Limit of evicted keys within five minutes. */
    evictions: number;
}

/** Redis, by the metrics of ElastiCache. Section 6.3. */
export function cacheAlarms({ group, nodes, memory, evictions }: CacheAlarmsArgs): Alarm[] {
    // ElastiCache's names of a group's nodes, each of which reports its own metrics.
    const members = Array.from({ length: nodes }, (_, index) => String(index + 1).padStart(3, "0"));
    return members.flatMap((member): Alarm[] => {
        const node = `${group}-${member}`;
        const of = (name: string, statistic: Metric["statistic"]): Metric => ({
            namespace: "AWS/ElastiCache",
            name,
            dimensions: { CacheClusterId: node },
            statistic,
        });
        return [
            {
                id: `cache-silent-${member}`,
                severity: "P2",
                incident: "cache",
                meaning: `ElastiCache reports no data of ${node}: it is down or deleted.`,
                cause: "The node failed or is being replaced.",
                resolution:
                    "Check the events of the group; with a replica, another zone takes over automatically.",
                procedure: "redis-memory",
                // No value satisfies this: the alarm fires on missing data only.
                metric: of("CurrConnections", "Minimum"),
                comparison: "<",
                threshold: 0,
                minutes: 5,
                periods: 2,
                missingData: "heartbeat",
            },
            {
                id: `cache-memory-${member}`,
                severity: "P3",
                meaning: `More than ${memory} % of the memory of ${node} is in use.`,
                cause: "Keys that never expire, or more data than the node type has room for.",
                resolution: "Clean the cache up; raise mcp:cache.nodeType.",
                procedure: "redis-memory",
                metric: of("DatabaseMemoryUsagePercentage", "Maximum"),
                comparison: ">",
                threshold: memory,
                minutes: 5,
                periods: 3,
                missingData: "level",
            },
            {
                id: `cache-evictions-${member}`,
                severity: "P3",
                meaning: `${node} throws keys away for lack of memory: sessions may be lost.`,
                cause: "The memory is full.",
                resolution: "Clean the cache up; raise mcp:cache.nodeType.",
                procedure: "redis-memory",
                metric: of("Evictions", "Sum"),
                comparison: ">",
                threshold: evictions,
                minutes: 5,
                periods: 3,
                missingData: "count",
            },
        ];
    });
}
