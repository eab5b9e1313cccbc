import { type Alarm, type Metric } from "../alarm";

/** Arguments of {@link databaseAlarms}. */
export interface DatabaseAlarmsArgs {
    /** Name of the instance that the services use. */
    identifier: string;
    /** Most connections before somebody is told. */
    connections: number;
    /** Least memory that must be free, in MiB. */
    freeMemory: number;
    /** Least disk that must be free, in GiB. */
    freeStorage: number;
    /** Transaction ids in use before somebody is told. */
    transactionIds: number;
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** PostgreSQL, as RDS sees it. Section 4.3.2. */
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
            meaning: `RDS reports nothing of ${identifier}: it is down, stopped or gone.`,
            cause: "The instance failed, was stopped, or is being replaced.",
            resolution: "Look at its events; if its data is lost, recover it to a point in time.",
            // Never true of a value, so that silence alone makes it ring. A failover to the other zone is shorter.
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
            resolution: "Look for heavy queries in pg_stat_statements; raise mcp:database.instanceClass.",
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
                "Raise mcp:database.storage.max; look for long transactions and forgotten replication slots.",
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
            cause: "Autovacuum is blocked, mostly by a transaction that has been open for very long.",
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
    /** Most connections that may idle. */
    most: number;
}

/** Connections that are open and do nothing, as the health check counts them in pg_stat_activity. Section 4.3.2 step 3. */
export function idleConnectionsAlarm({ namespace, most }: IdleConnectionsAlarmArgs): Alarm {
    return {
        id: "database-idle-connections",
        severity: "P3",
        meaning: `More than ${most} connections to the database are open and do nothing.`,
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
