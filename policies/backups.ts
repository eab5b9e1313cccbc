import { closedBy } from "../core/snapshotHours";
import { meet, type Span, type Weekday } from "../core/calendar";
import { BACKUPS, ZONE_OFFSET_MINUTES } from "../core/numbers";
import { type PolicyResource } from "./rule";
import { DAY, gapsOf, HOUR, runsEvery, runsOf } from "./schedules";
import { ofType } from "./selectors";
import { type Properties } from "./unknown";

const { hourly, daily } = BACKUPS.postgresql;

/** Interval and retention of the database's snapshots. Section 7.1. */
export const SNAPSHOTS = {
    hourly: { minutes: hourly.everyHours * HOUR, days: hourly.retentionDays },
    daily: { minutes: daily.everyDays * DAY, days: daily.retentionDays },
};

/** Kind of snapshot that a rule of a plan takes. */
export type SnapshotKind = keyof typeof SNAPSHOTS;

/** Whether a resource is a plan of AWS Backup. */
export const isPlan = ofType("aws:backup/plan:Plan");

/**
 * Kind of snapshot that a rule of a plan takes: daily ones every day, hourly ones every hour except around the windows.
 */
export function kindOf({ schedule }: Properties): SnapshotKind | undefined {
    const expression = schedule ?? "";
    if (runsEvery(expression, SNAPSHOTS.daily.minutes)) {
        return "daily";
    }
    const often = Math.min(...gapsOf(runsOf(expression)));
    return often === SNAPSHOTS.hourly.minutes ? "hourly" : undefined;
}

/** Start times of the jobs of a kind by a plan, in minutes of a week that starts on Sunday. */
export function dueBy(plan: PolicyResource, kind: SnapshotKind): number[] {
    const rules: Properties[] = plan.props["rules"] ?? [];
    return rules.filter((rule) => kindOf(rule) === kind).flatMap(({ schedule }) => runsOf(schedule));
}

/**
 * The hours of the week that lack a snapshot of an instance, in minutes from Sunday. None can start in the instance's
 * windows, in the hour before them, or together with a daily one.
 */
export function hoursLeftOut(
    { props }: PolicyResource,
    hourly: readonly number[],
    daily: () => readonly number[],
): number[] {
    const every = SNAPSHOTS.hourly.minutes;
    const span = (start: number): Span => ({ start, length: every });
    const sorted = [...hourly].sort((one, other) => one - other);
    const missed = gapsOf(sorted).flatMap((gap, index) =>
        Array.from(
            { length: Math.ceil(gap / every) - 1 },
            (_, count) => sorted[index]! + (count + 1) * every,
        ),
    );
    if (missed.length === 0) {
        return [];
    }
    const windows = [props["maintenanceWindow"], props["backupWindow"]].flatMap(closedByUtc);
    const closed = [...windows, ...daily().map(span)];
    return missed.filter((hour) => !closed.some((other) => meet(span(hour), other)));
}

/**
 * A window in AWS's format, in UTC (`sat:20:30-sat:22:30` or `23:30-00:30`), as a window in the runbook's time zone.
 */
function closedByUtc(window: string | undefined): Span[] {
    const [, weekday, start, end] =
        /^(?:(\w{3}):)?(\d\d:\d\d)-(?:\w{3}:)?(\d\d:\d\d)$/.exec((window ?? "").toLowerCase()) ?? [];
    if (start === undefined || end === undefined) {
        return [];
    }
    return closedBy({ start, end, ...(weekday && { weekday: weekday as Weekday }) }).map((span) => ({
        ...span,
        // The week of the windows starts on Monday.
        start: span.start + DAY + ZONE_OFFSET_MINUTES,
    }));
}
