import { BACKUPS } from "../../../runbook/numbers";
import { type Alarm } from "../alarm";

/** A run may take as long as it is to the next one: only when two have not come through, one is missing. */
const CACHE_HOURS = 2 * BACKUPS.redis.everyHours;

/** Snapshots of Redis: a run that fails tells so itself, one that never began does not. Section 7.1. */
export function cacheBackupAlarm({ stateMachineArn }: { stateMachineArn: string }): Alarm {
    return {
        id: "cache-backup-missing",
        severity: "P3",
        meaning: `No snapshot of Redis has come to its bucket for ${CACHE_HOURS} hours.`,
        cause: "The schedule is switched off, or its runs fail.",
        resolution: "Look at the last executions of its state machine, and start one.",
        procedure: "cache-backup",
        watched: {
            namespace: "AWS/States",
            name: "ExecutionsSucceeded",
            dimensions: { StateMachineArn: stateMachineArn },
            statistic: "Sum",
        },
        comparison: "<",
        threshold: 1,
        minutes: 60,
        periods: CACHE_HOURS,
        silence: "heartbeat",
    };
}
