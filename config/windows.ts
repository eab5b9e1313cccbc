import { z } from "zod";
import { ZONE_OFFSET_MINUTES } from "../runbook/numbers";
import { text } from "./scalars";

const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const DAY = 24 * 60;
const WEEK = 7 * DAY;

const timeOfDay = text(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day, such as 02:00");

/** A window of every day, in the zone of the runbook. */
export const dailyWindow = z.strictObject({ start: timeOfDay, end: timeOfDay });

/** A window of every week, in the zone of the runbook. */
export const weeklyWindow = z.strictObject({
    weekday: z.enum(WEEKDAYS, { error: `one of ${WEEKDAYS.join(", ")}` }),
    start: timeOfDay,
    end: timeOfDay,
});

type Daily = z.output<typeof dailyWindow>;
type Weekly = z.output<typeof weeklyWindow>;

/** Length of a window in minutes; one that ends where it starts lasts a day. */
export function minutesOf({ start, end }: Daily): number {
    return (minutes(end) - minutes(start) + DAY) % DAY || DAY;
}

/** A daily window as AWS takes it, in UTC: `23:30-00:30`. */
export function utcDaily({ start, end }: Daily): string {
    return `${clock(minutes(start) - ZONE_OFFSET_MINUTES)}-${clock(minutes(end) - ZONE_OFFSET_MINUTES)}`;
}

/** A weekly window as AWS takes it, in UTC: Sunday 02:00 to 04:00 is `sat:20:30-sat:22:30`. Section 5.1. */
export function utcWeekly(window: Weekly): string {
    const start = WEEKDAYS.indexOf(window.weekday) * DAY + minutes(window.start) - ZONE_OFFSET_MINUTES;
    return [start, start + minutesOf(window)]
        .map((minute) => modulo(minute, WEEK))
        .map((minute) => `${WEEKDAYS[Math.floor(minute / DAY)]}:${clock(minute)}`)
        .join("-");
}

/** When a window of every week starts, in AWS's cron of six fields: `0 2 ? * SUN *`. */
export function everyWeek({ weekday, start }: Weekly): string {
    return `${cronTime(start)} ? * ${weekday.toUpperCase()} *`;
}

/** The same on the first such day of each month: `0 1 ? * SUN#1 *`. */
export function firstOfMonth({ weekday, start }: Weekly): string {
    return `${cronTime(start)} ? * ${weekday.toUpperCase()}#1 *`;
}

/** An instant as the clocks of the runbook's zone show it: `2027-01-10T02:00`. */
export function inRunbookZone(instant: string): string {
    return new Date(Date.parse(instant) + ZONE_OFFSET_MINUTES * 60_000).toISOString().slice(0, 16);
}

/** Whether a daily window comes into a weekly one on any day. */
export function overlap(daily: Daily, weekly: Weekly): boolean {
    const start = WEEKDAYS.indexOf(weekly.weekday) * DAY + minutes(weekly.start);
    return WEEKDAYS.some((_, day) => {
        // Whichever starts first reaches the other's start, with the week as a circle.
        const other = day * DAY + minutes(daily.start);
        return (
            modulo(other - start, WEEK) < minutesOf(weekly) || modulo(start - other, WEEK) < minutesOf(daily)
        );
    });
}

/** Minute and hour, as every kind of cron begins. */
function cronTime(time: string): string {
    const [hour, minute] = time.split(":").map(Number);
    return `${minute} ${hour}`;
}

function minutes(time: string): number {
    const [hour, minute] = time.split(":").map(Number);
    return hour! * 60 + minute!;
}

function clock(minute: number): string {
    const [hours, rest] = [Math.floor(modulo(minute, DAY) / 60), modulo(minute, 60)];
    return `${String(hours).padStart(2, "0")}:${String(rest).padStart(2, "0")}`;
}

/** Never negative, unlike `%`. */
function modulo(value: number, by: number): number {
    return ((value % by) + by) % by;
}
