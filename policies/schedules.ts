import { type PolicyResource } from "./rule";
import { ofType } from "./selectors";

/** Whether a resource is a schedule of EventBridge Scheduler. */
export const isSchedule = ofType("aws:scheduler/schedule:Schedule");

/** Whether a schedule starts anything. */
export function isOn({ props }: PolicyResource): boolean {
    return (props["state"] ?? "ENABLED") === "ENABLED";
}

/** In minutes. */
const UNITS: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 24 * 60 };
const WEEK = 7 * 24 * 60;
const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/**
 * When an AWS schedule expression runs, in minutes of a week that begins on Sunday. Nothing for what does not run
 * at the same times every week.
 */
export function runsOf(expression: string): number[] {
    const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
    if (count !== undefined) {
        const step = Number(count) * UNITS[unit!]!;
        return WEEK % step === 0 ? Array.from({ length: WEEK / step }, (_, index) => index * step) : [];
    }
    const [, minute, hour, weekday] = /^cron\((\S+) (\S+) [*?] \* (\S+) \*\)$/.exec(expression) ?? [];
    if (minute === undefined) {
        return [];
    }
    const days = weekday!.replace(/[A-Z]{3}/g, (name) => String(DAYS.indexOf(name) + 1));
    return valuesOf(days, 1, 7).flatMap((day) =>
        valuesOf(hour!, 0, 23).flatMap((at) =>
            valuesOf(minute, 0, 59).map((past) => ((day - 1) * 24 + at) * 60 + past),
        ),
    );
}

/** Time from each run to the next, in minutes, with the week as a circle. */
export function gapsOf(runs: readonly number[]): number[] {
    const sorted = [...runs].sort((one, other) => one - other);
    return sorted.map((run, index) => (sorted[index + 1] ?? sorted[0]! + WEEK) - run);
}

/** The values that a field of cron names: `*`, `2`, `1-5`, `0/6` and lists of those. */
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
