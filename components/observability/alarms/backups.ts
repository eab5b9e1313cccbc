import { BACKUPS } from "../../../core/numbers";
import { type Alarm, type Metric } from "../alarm";

/** A run may take until the next one: it is missing only after two did not complete. */
const CACHE_HOURS = 2 * BACKUPS.redis.everyHours;

/** A daily backup is late this long after the last one. In hours. */
const DAILY_HOURS = 24 + 3;

/** Longest evaluation range of CloudWatch, in days. */
const WEEKLY_DAYS = 7;

/** Common settings of alarms on missing backups: heartbeats, counted. */
const MISSING = { severity: "P3", comparison: "<", threshold: 1, missingData: "heartbeat" } as const;

/** Snapshots of Redis. A failed run notifies by itself; a run that never started does not. Section 7.1. */
export function cacheBackupAlarm({ stateMachineArn }: { stateMachineArn: string }): Alarm {
    return {
        ...MISSING,
        id: "cache-backup-missing",
        meaning: `No snapshot of Redis has come to its bucket for ${CACHE_HOURS} hours.`,
        cause: "The schedule is switched off, or its runs fail.",
        resolution: "Check the last executions of its state machine, and start one.",
        procedure: "cache-backup",
        metric: {
            namespace: "AWS/States",
            name: "ExecutionsSucceeded",
            dimensions: { StateMachineArn: stateMachineArn },
            statistic: "Sum",
        },
        minutes: 60,
        periods: CACHE_HOURS,
    };
}

/** Arguments of {@link databaseBackupAlarms}. */
export interface DatabaseBackupAlarmsArgs {
    /** Names of the vaults, by the interval of their snapshots. */
    vaults: Readonly<Record<"hourly" | "daily", string>>;
    /** Longest gap between two hourly snapshots, in hours: there are none around the instance's windows. */
    longestGap: number;
    /** Maximum duration of a snapshot from its scheduled time, in hours. */
    slack: number;
}

/** Snapshots of PostgreSQL by AWS Backup. P3, because point-in-time recovery works without them. Section 7.1. */
export function databaseBackupAlarms({ vaults, longestGap, slack }: DatabaseBackupAlarmsArgs): Alarm[] {
    const hours = { hourly: longestGap + slack, daily: 24 + slack };
    return (["hourly", "daily"] as const).flatMap((kind): Alarm[] => {
        const vault = vaults[kind];
        const jobs = (state: string): Metric => ({
            namespace: "AWS/Backup",
            name: `NumberOfBackupJobs${state}`,
            dimensions: { BackupVaultName: vault },
            statistic: "Sum",
        });
        const common = {
            procedure: "database-snapshots",
            resolution: `aws backup list-backup-jobs --by-backup-vault-name ${vault} says why; take one by hand before a risky change.`,
        };
        return [
            {
                ...common,
                id: `database-backup-failed-${kind}`,
                severity: "P3",
                meaning: `A ${kind} snapshot of PostgreSQL has failed.`,
                cause: "The role of AWS Backup or the key of the vault was changed, or the instance was not available.",
                metric: jobs("Failed"),
                comparison: ">",
                threshold: 0,
                minutes: 5,
                missingData: "count",
            },
            {
                ...MISSING,
                ...common,
                id: `database-backup-missing-${kind}`,
                meaning: `No ${kind} snapshot of PostgreSQL has come to its vault for ${hours[kind]} hours.`,
                cause: "The plan or AWS Backup's use of RDS is switched off, or its jobs fail or expire.",
                metric: jobs("Completed"),
                minutes: 60,
                periods: hours[kind],
            },
        ];
    });
}

/** Arguments of {@link dumpAlarms}. */
export interface DumpAlarmsArgs {
    /** Namespace of the heartbeats of verified uploads. */
    namespace: string;
    /** Whether the database is dumped too. */
    database: boolean;
}

/** Scheduled uploads from the cluster: dumps of the database and exported configurations. Section 7.1. */
export function dumpAlarms({ namespace, database }: DumpAlarmsArgs): Alarm[] {
    const heartbeat = (kind: string): Metric => ({
        namespace,
        name: "DumpSucceeded",
        dimensions: { Kind: kind },
        statistic: "Sum",
    });
    const missing = (
        kind: string,
        what: string,
        task: string,
        rest: Pick<Alarm, "id" | "procedure" | "minutes" | "periods"> & { span: string },
    ): Alarm => {
        const { span, ...own } = rest;
        return {
            ...MISSING,
            ...own,
            meaning: `No ${what} has come to its bucket for ${span}.`,
            cause: "Its Job failed, was refused for lack of room, or never started.",
            resolution: `kubectl logs -l mcp.msil.com/task=${task} --all-containers says why; kubectl create job --from=cronjob starts it again.`,
            metric: heartbeat(kind),
        };
    };
    const daily = { minutes: 60, periods: DAILY_HOURS, span: `${DAILY_HOURS} hours` };
    return [
        ...(database
            ? [
                  missing("daily", "daily dump of the database", "mcp-dumps", {
                      ...daily,
                      id: "dump-missing-daily",
                      procedure: "database-dumps",
                  }),
                  weekly(
                      missing("weekly", "weekly dump of the database", "mcp-dumps", {
                          id: "dump-missing-weekly",
                          procedure: "database-dumps",
                          minutes: 24 * 60,
                          periods: WEEKLY_DAYS,
                          span: `${WEEKLY_DAYS} days`,
                      }),
                      heartbeat("daily"),
                      heartbeat("weekly"),
                  ),
              ]
            : []),
        missing("kubernetes", "export of the Kubernetes configurations", "mcp-configurations", {
            ...daily,
            id: "configurations-missing",
            procedure: "kubernetes-configurations",
        }),
    ];
}

/**
 * The same for a weekly dump. It counts only days with a daily dump, so that it cannot fire in a new stack before seven
 * of them. Without daily dumps, their own alarm fires.
 */
function weekly(alarm: Alarm, daily: Metric, own: Metric): Alarm {
    return {
        ...alarm,
        metric: {
            expression: "IF(FILL(daily, 0) >= 1 AND FILL(weekly, 0) < 1, 0, 1)",
            metrics: { daily, weekly: own },
        },
        missingData: "count",
    };
}
