import { z } from "zod";
import { BACKUPS } from "../core/numbers";
import { wholeDays } from "./scalars";
import {
    type dailyWindow,
    meet,
    type Span,
    spans,
    timeOfDay,
    type Weekday,
    WEEKDAYS,
    weekday,
    type weeklyWindow,
    type Window,
} from "./windows";

/** A job may start within this long after its time, which is the least that AWS Backup takes. In minutes. */
export const START_WINDOW_MINUTES = 60;

/** How long a job may take from its time on, in minutes. */
export const COMPLETION_WINDOW_MINUTES = 120;

/** AWS Backup starts no job in a window of the instance, nor so long before it. In minutes. */
const LEAD_MINUTES = 60;

const { hourly, daily } = BACKUPS.postgresql;

/** How long AWS Backup may keep a snapshot, in days: three years is more than anybody restores from. */
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

/** What the runbook says of production's snapshots. Section 7.1. */
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

/** Hours of some weekdays. */
export interface Hours {
    weekdays: Weekday[];
    hours: number[];
}

/**
 * The full hours of each weekday at which a snapshot can be due: at no time when it may start is it in a window of the
 * instance, in the hour before one, or beside the daily snapshot. Days with the same hours stand together.
 */
export function openHours(windows: readonly Window[], daily: string): Hours[] {
    const closed = [...windows.flatMap(closedBy), ...startSpans(daily)];
    const groups: Hours[] = [];
    for (const day of WEEKDAYS) {
        const hours = Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => {
            const [due] = startSpans(`${hour}:00`, day);
            return !closed.some((span) => meet(due!, span));
        });
        const group = groups.find((each) => each.hours.join() === hours.join());
        if (group === undefined) {
            groups.push({ weekdays: [day], hours });
        } else {
            group.weekdays.push(day);
        }
    }
    return groups;
}

/** The same in AWS's cron of six fields: `0 0,1,22,23 ? * SAT,SUN *`. */
export function hoursCron({ weekdays, hours }: Hours): string {
    return `0 ${hours.join(",")} ? * ${weekdays.map((day) => day.toUpperCase()).join(",")} *`;
}

/** The longest time from one of these hours of the week to the next, in hours. */
export function longestGap(open: readonly Hours[]): number {
    const due = open
        .flatMap(({ weekdays, hours }) =>
            weekdays.flatMap((day) => hours.map((hour) => WEEKDAYS.indexOf(day) * 24 + hour)),
        )
        .sort((one, other) => one - other);
    // The week is a circle.
    return Math.max(...due.map((hour, index) => (due[index + 1] ?? due[0]! + WEEKDAYS.length * 24) - hour));
}

/** The parts of the week in which AWS Backup starts no job because of a window of the instance. */
export function closedBy(window: Window): Span[] {
    return spans(window).map(({ start, length }) => ({
        start: start - LEAD_MINUTES,
        length: length + LEAD_MINUTES,
    }));
}

/** When a job that is due at a time may start. */
function startSpans(start: string, day?: Weekday): Span[] {
    return spans({ start, end: start, ...(day === undefined ? {} : { weekday: day }) }).map((span) => ({
        ...span,
        length: START_WINDOW_MINUTES,
    }));
}
