import { z } from "zod";
import { BACKUPS } from "../core/numbers";
import { wholeDays } from "./scalars";
import { closedBy, openHours, startSpans } from "../core/snapshotHours";
import { meet } from "../core/calendar";
import { type dailyWindow, timeOfDay, weekday, type weeklyWindow } from "./windows";

const { hourly, daily } = BACKUPS.postgresql;

/** How long AWS Backup may keep a snapshot, in days: three years, more than a restore needs. */
const LONGEST_DAYS = 3 * 365;

/** Snapshots of the database by AWS Backup, beside its point-in-time recovery. Section 7.1. */
export const snapshotsSchema = z
    .strictObject({
        hourly: z
            .strictObject({
                /** Default: 1d. */
                retention: wholeDays(LONGEST_DAYS).default(hourly.retentionDays),
            })
            .prefault({}),
        daily: z
            .strictObject({
                /** When it is due, in the zone of the runbook; it begins within the hour. Default: 00:00. */
                start: timeOfDay.default("00:00"),
                /** Default: 30d. */
                retention: wholeDays(LONGEST_DAYS).default(daily.retentionDays),
            })
            .prefault({}),
        /** When the latest daily one is restored beside the database, to see that it can be, and removed again. */
        restoreTest: z
            .strictObject({
                /** Default: mon. */
                weekday: weekday.default("mon"),
                /** In the zone of the runbook. Default: 10:00. */
                start: timeOfDay.default("10:00"),
            })
            .prefault({}),
    })
    .prefault({});

/** See {@link snapshotsSchema}. */
export type SnapshotsValues = z.output<typeof snapshotsSchema>;

/** Whether the snapshots go with the instance's windows, in which AWS takes none. */
export function checkSnapshots(
    {
        snapshots,
        maintenanceWindow,
        backupWindow,
    }: {
        snapshots: SnapshotsValues;
        maintenanceWindow: z.output<typeof weeklyWindow>;
        backupWindow: z.output<typeof dailyWindow>;
    },
    context: z.core.$RefinementCtx,
): void {
    const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    const windows = [maintenanceWindow, backupWindow];
    const { start } = snapshots.daily;
    const closed = windows.flatMap(closedBy);
    if (startSpans(start).some((span) => closed.some((other) => meet(span, other)))) {
        const { weekday: day, start: from, end } = maintenanceWindow;
        problem(
            ["snapshots", "daily", "start"],
            `an hour outside of the maintenance window (${day} ${from} to ${end}), of the backup window ` +
                `(${backupWindow.start} to ${backupWindow.end}), and of the hour before each`,
        );
    } else if (openHours(windows, start).some(({ hours }) => hours.length === 0)) {
        problem(["backupWindow"], "windows that leave an hour of every day for the hourly snapshots");
    }
}

/** Retentions of production's snapshots. Section 7.1. */
export function checkSnapshotRetention(
    { snapshots }: { snapshots: SnapshotsValues },
    context: z.core.$RefinementCtx,
): void {
    for (const kind of ["hourly", "daily"] as const) {
        const { retentionDays } = BACKUPS.postgresql[kind];
        if (snapshots[kind].retention < retentionDays) {
            context.addIssue({
                code: "custom",
                path: ["database", "snapshots", kind, "retention"],
                message: `at least ${retentionDays}d in production (section 7.1)`,
            });
        }
    }
}
