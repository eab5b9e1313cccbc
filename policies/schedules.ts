import { type PolicyResource } from "./rule";
import { ofType } from "./selectors";

/** Whether a resource is a schedule of EventBridge Scheduler. */
export const isSchedule = ofType("aws:scheduler/schedule:Schedule");

/** Whether a schedule is enabled. */
export function isOn({ props }: PolicyResource): boolean {
    return (props["state"] ?? "ENABLED") === "ENABLED";
}

/** In minutes. */
export const HOUR = 60;
export const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const UNITS: Readonly<Record<string, number>> = { minute: 1, hour: HOUR, day: DAY };
const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** Short forms of the five fields of cron. */
const MACROS: Readonly<Record<string, string>> = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
};

/**
 * Start times of an AWS schedule expression, or of five fields of cron, in minutes of a week that starts on Sunday.
 * Undefined if they differ between weeks.
 */
export function runsOf(expression: string): number[] {
    const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
    if (count !== undefined) {
        const step = Number(count) * UNITS[unit!]!;
        return WEEK % step === 0 ? Array.from({ length: WEEK / step }, (_, index) => index * step) : [];
    }
    const [, ...ofAws] = /^cron\((\S+) (\S+) [*?] \* (\S+) \*\)$/.exec(expression) ?? [];
    if (ofAws.length > 0) {
        return runsAt(ofAws, 1);
    }
    const [, ...ofCluster] = /^(\S+) (\S+) [*?] \* (\S+)$/.exec(MACROS[expression] ?? expression) ?? [];
    return ofCluster.length > 0 ? runsAt(ofCluster, 0) : [];
}

/** Minute, hour and weekday, with the number of Sunday: AWS counts from 1. */
function runsAt([minute, hour, weekday]: readonly string[], sunday: number): number[] {
    const days = weekday!.toUpperCase().replace(/[A-Z]{3}/g, (name) => String(DAYS.indexOf(name) + sunday));
    return valuesOf(days, sunday, sunday + 6).flatMap((day) =>
        valuesOf(hour!, 0, 23).flatMap((at) =>
            // In the cluster, 7 is Sunday too.
            valuesOf(minute!, 0, 59).map((past) => (((day - sunday) % 7) * 24 + at) * 60 + past),
        ),
    );
}

/** Whether an expression runs at least at this interval, in minutes, throughout the week. */
export function runsEvery(expression: string, minutes: number): boolean {
    const gaps = gapsOf(runsOf(expression));
    return gaps.length > 0 && gaps.every((gap) => gap === minutes);
}

/** Time from each run to the next, in minutes; the week wraps around. */
export function gapsOf(runs: readonly number[]): number[] {
    const sorted = [...runs].sort((one, other) => one - other);
    return sorted.map((run, index) => (sorted[index + 1] ?? sorted[0]! + WEEK) - run);
}

/** The values of a field of cron: `*`, `2`, `1-5`, `0/6` and lists of those. */
function valuesOf(field: string, least: number, most: number): number[] {
    return field.split(",").flatMap((part) => {
        const [, first = "", last, step] = /^(\*|\?|\d+)(?:-(\d+))?(?:\/(\d+))?$/.exec(part) ?? [];
        if (first === "") {
            return [];
        }
        const isAny = first === "*" || first === "?";
        const from = isAny ? least : Number(first);
        const to = isAny || (step !== undefined && last === undefined) ? most : Number(last ?? first);
        const by = Number(step ?? 1) || most;
        return Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, index) => from + index * by);
    });
}

/** A minute of the week as text: `SUN 08:00`. */
export function timeOfWeek(minute: number): string {
    const [day, hour, past] = [Math.floor(minute / DAY) % 7, Math.floor(minute / HOUR) % 24, minute % HOUR];
    return `${DAYS[day]} ${[hour, past].map((part) => String(part).padStart(2, "0")).join(":")}`;
}
