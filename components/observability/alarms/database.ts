import { type Alarm, type Metric } from "../alarm";

/** Arguments of {@link databaseAlarms}. */
export interface DatabaseAlarmsArgs {
    /** Name of the instance in use. */
    identifier: string;
    /** Limit of connections. */
    connections: number;
    /** Minimum of free memory, in MiB. */
    freeMemory: number;
    /** Minimum of free disk, in GiB. */
    freeStorage: number;
    /** Limit of transaction ids in use. */
    transactionIds: number;
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** PostgreSQL, by the metrics of RDS. Section 4.3.2. */
export function databaseAlarms({ identifier, ...limits }: DatabaseAlarmsArgs): Alarm[] {
    const of = (name: string, statistic: Metric["statistic"]): Metric => ({
        namespace: "AWS/RDS",
        name,
        dimensions: { DBInstanceIdentifier: identifier },
        statistic,
    });
    const common = { procedure: "database-connections", missingData: "level" } as const;
    return [
        {
            ...common,
            id: "database-silent",
            incident: "database",
            severity: "P1",
            meaning: `RDS reports no data of ${identifier}: it is down, stopped or deleted.`,
            cause: "The instance failed, was stopped, or is being replaced.",
            resolution: "Check its events; if its data is lost, recover it to a point in time.",
            // No value satisfies this: the alarm fires on missing data only. A failover to the other zone is shorter.
            metric: of("DatabaseConnections", "Minimum"),
            comparison: "<",
            threshold: 0,
            minutes: 1,
            periods: 5,
            missingData: "heartbeat",
        },
        {
            ...common,
            id: "database-connections",
            incident: "database",
            severity: "P2",
            meaning: `More than ${limits.connections} connections to ${identifier}: soon it takes no more.`,
            cause: "Connections leak, or there are more pods than the database can serve.",
            resolution: "Restart MCP Server gracefully; a leak comes back, so find it.",
            metric: of("DatabaseConnections", "Maximum"),
            comparison: ">",
            threshold: limits.connections,
            minutes: 5,
            periods: 2,
        },
        {
            ...common,
            id: "database-memory",
            severity: "P3",
            meaning: `Less than ${limits.freeMemory} MiB of memory are free on ${identifier}.`,
            cause: "Too many connections, large sorts, or an instance class that has become too small.",
            resolution: "Find heavy queries in pg_stat_statements; raise mcp:database.instanceClass.",
            metric: of("FreeableMemory", "Average"),
            comparison: "<",
            threshold: limits.freeMemory * MIB,
            minutes: 5,
            periods: 3,
            mutedIn: ["database"],
        },
        {
            ...common,
            id: "database-storage",
            incident: "database",
            severity: "P2",
            meaning: `Less than ${limits.freeStorage} GiB of disk are free on ${identifier}: a full one stops every write.`,
            cause: "Data grows faster than the disk, has reached storage.max, or an old transaction keeps the log.",
            resolution:
                "Raise mcp:database.storage.max; find long transactions and forgotten replication slots.",
            metric: of("FreeStorageSpace", "Minimum"),
            comparison: "<",
            threshold: limits.freeStorage * GIB,
            minutes: 5,
            periods: 2,
        },
        {
            ...common,
            id: "database-transaction-ids",
            incident: "database",
            severity: "P2",
            meaning: `${identifier} uses more than ${limits.transactionIds} transaction ids: at 2 billion it stops taking writes.`,
            cause: "Autovacuum is blocked, usually by a long-running transaction.",
            resolution: "End transactions that are older than a day, then VACUUM the oldest tables.",
            metric: of("MaximumUsedTransactionIDs", "Maximum"),
            comparison: ">",
            threshold: limits.transactionIds,
            minutes: 60,
        },
    ];
}

/** Arguments of {@link idleConnectionsAlarm}. */
export interface IdleConnectionsAlarmArgs {
    /** Namespace of the health check's metrics. */
    namespace: string;
    /** Limit of idle connections. */
    most: number;
}

/** Idle connections, as the health check counts them in pg_stat_activity. Section 4.3.2 step 3. */
export function idleConnectionsAlarm({ namespace, most }: IdleConnectionsAlarmArgs): Alarm {
    return {
        id: "database-idle-connections",
        severity: "P3",
        meaning: `More than ${most} connections to the database are idle.`,
        cause: "Connections leak, or the pools of all pods together are larger than they need to be.",
        resolution: "Restart MCP Server gracefully; a leak comes back, so find it.",
        procedure: "database-connections",
        metric: {
            namespace,
            name: "IdleConnections",
            dimensions: { Component: "PostgreSQL" },
            statistic: "Maximum",
        },
        comparison: ">",
        threshold: most,
        minutes: 10,
        periods: 3,
        missingData: "level",
    };
}
