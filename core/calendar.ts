import { ZONE_OFFSET_MINUTES } from "./numbers";

/** Days of the week, starting with Monday. */
export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const DAY = 24 * 60;
const WEEK = 7 * DAY;

/** A day of the week. */
export type Weekday = (typeof WEEKDAYS)[number];

/** A daily window, by times of day such as 02:00. */
export interface Daily {
    start: string;
    end: string;
}

/** A weekly window. */
export interface Weekly extends Daily {
    weekday: Weekday;
}

/** A scheduled start: daily, or on one day of the week. */
export interface Start {
    /** Five fields of cron, in the runbook's time zone. */
    cron: string;
    /** Default: daily. */
    weekday?: Weekday;
    /** Time of day. */
    time: string;
}

/** Parses a start from its five fields of cron. */
export function startOf(cron: string): Start {
    const [minute, hour, , , day] = cron.split(" ");
    return {
        cron,
        // Cron's week starts with Sunday.
        ...(day === "*" ? {} : { weekday: WEEKDAYS[(Number(day) + 6) % 7]! }),
        time: `${hour!.padStart(2, "0")}:${minute!.padStart(2, "0")}`,
    };
}

/** The window from a start to the end of its duration. */
export function windowOf({ weekday, time }: Start, seconds: number): Window {
    const end = clock(minutes(time) + Math.ceil(seconds / 60));
    return { ...(weekday === undefined ? {} : { weekday }), start: time, end };
}

/** Length of a window in minutes. A window that ends at its start lasts a day. */
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

/** A daily start in AWS's cron of six fields: `0 2 ? * * *`. */
export function everyDay(start: string): string {
    return `${cronTime(start)} ? * * *`;
}

/** The start of a weekly window in AWS's cron of six fields: `0 2 ? * SUN *`. */
export function everyWeek({ weekday, start }: Pick<Weekly, "weekday" | "start">): string {
    return `${cronTime(start)} ? * ${weekday.toUpperCase()} *`;
}

/** Its start on the first such day of each month, in AWS's cron: `0 1 ? * SUN#1 *`. */
export function firstOfMonth({ weekday, start }: Weekly): string {
    return `${cronTime(start)} ? * ${weekday.toUpperCase()}#1 *`;
}

/** Its start on the nth such day of some months, in AWS's cron: `0 6 ? 1,4,7,10 SUN#3 *`. */
export function nthOfMonths(
    { weekday, start }: Pick<Weekly, "weekday" | "start">,
    nth: number,
    months: readonly number[],
): string {
    return `${cronTime(start)} ? ${months.join(",")} ${weekday.toUpperCase()}#${nth} *`;
}

/** The start of a weekly window in the cron of five fields of alarm mute rules: `0 2 * * SUN`. */
export function everyWeekOfFive({ weekday, start }: Weekly): string {
    return `${cronTime(start)} * * ${weekday.toUpperCase()}`;
}

/**
 * The same on the first such day of each month of a year. Cron of five fields cannot express that: it combines a day of
 * the month and a weekday by "or". So there is one expression for each day of the month, with the months in which the
 * first such day is on it: `0 1 3 1,10 *`.
 */
export function firstOfMonthOfFive(
    { weekday, start }: Weekly,
    year: number,
): { day: number; cron: string }[] {
    const months = new Map<number, number[]>();
    for (let month = 1; month <= 12; month += 1) {
        // JavaScript's week starts with Sunday, this one with Monday.
        const first = (new Date(Date.UTC(year, month - 1, 1)).getUTCDay() + 6) % 7;
        const day = 1 + modulo(WEEKDAYS.indexOf(weekday) - first, 7);
        months.set(day, [...(months.get(day) ?? []), month]);
    }
    return [...months]
        .sort(([one], [other]) => one - other)
        .map(([day, inMonths]) => ({ day, cron: `${cronTime(start)} ${day} ${inMonths.join(",")} *` }));
}

/** Every full hour of a daily window, in the cluster's cron of five fields: `0 1,2,3,4 * * *`. */
export function hourlyIn(window: Daily): string {
    const hours = Array.from({ length: Math.ceil(minutesOf(window) / 60) }, (_, hour) =>
        modulo(Math.floor(minutes(window.start) / 60) + hour, 24),
    );
    return `${minutes(window.start) % 60} ${hours.join(",")} * * *`;
}

/** The parts of a window that overlap none of the others, in order. */
export function partsWithout({ start, ...window }: Weekly, others: readonly Window[]): Daily[] {
    const taken = others.flatMap(spans);
    const [{ start: first, length }] = spans({ start, ...window }) as [Span];
    const parts: Daily[] = [];
    let from: number | undefined;
    for (let minute = 0; minute <= length; minute += 1) {
        const at = { start: modulo(first + minute, WEEK), length: 1 };
        const isOpen = minute < length && !taken.some((span) => meet(span, at));
        if (isOpen) {
            from ??= minute;
        } else if (from !== undefined) {
            parts.push({ start: clock(minutes(start) + from), end: clock(minutes(start) + minute) });
            from = undefined;
        }
    }
    return parts;
}

/** An instant in the runbook's time zone: `2027-01-10T02:00`. */
export function inRunbookZone(instant: string): string {
    return new Date(Date.parse(instant) + ZONE_OFFSET_MINUTES * 60_000).toISOString().slice(0, 16);
}

/** Whether two windows overlap. */
export function overlap(one: Window, other: Window): boolean {
    return spans(one).some((first) => spans(other).some((second) => meet(first, second)));
}

/** A daily or weekly window. */
export type Window = Daily & { weekday?: Weekday };

/** Part of the week in minutes from Monday. It may wrap around the end of the week. */
export interface Span {
    start: number;
    length: number;
}

/** The parts of the week that a window covers. */
export function spans({ weekday: day, ...window }: Window): Span[] {
    const days = day === undefined ? WEEKDAYS : [day];
    return days.map((each) => ({
        start: WEEKDAYS.indexOf(each) * DAY + minutes(window.start),
        length: minutesOf(window),
    }));
}

/** Whether two parts of the week overlap: the later one starts before the earlier one ends. */
export function meet(one: Span, other: Span): boolean {
    return (
        modulo(other.start - one.start, WEEK) < one.length ||
        modulo(one.start - other.start, WEEK) < other.length
    );
}

/** Minute and hour, the first fields of every kind of cron. */
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
