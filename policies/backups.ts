import { BACKUPS } from "../runbook/numbers";
import { gapsOf, runsOf } from "./schedules";
import { ofType } from "./selectors";
import { type Properties } from "./unknown";

const { hourly, daily } = BACKUPS.postgresql;

/** How often snapshots of the database are taken, and for how long they are kept. Section 7.1. */
export const SNAPSHOTS = {
    hourly: { minutes: hourly.everyHours * 60, days: hourly.retentionDays },
    daily: { minutes: daily.everyDays * 24 * 60, days: daily.retentionDays },
};

/** Whether a resource is a plan of AWS Backup. */
export const isPlan = ofType("aws:backup/plan:Plan");

/** Which of them a rule of a plan takes: by the time between two jobs, but for the hours in which none is due. */
export function kindOf({ schedule }: Properties): keyof typeof SNAPSHOTS | undefined {
    const often = Math.min(...gapsOf(runsOf(schedule ?? "")));
    return often === SNAPSHOTS.hourly.minutes
        ? "hourly"
        : often === SNAPSHOTS.daily.minutes
          ? "daily"
          : undefined;
}
