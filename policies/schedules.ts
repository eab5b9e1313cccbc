import { type PolicyResource } from "./rule";
import { ofType } from "./selectors";

/** Whether a resource is a schedule of EventBridge Scheduler. */
export const isSchedule = ofType("aws:scheduler/schedule:Schedule");

/** Whether a schedule starts anything. */
export function isOn({ props }: PolicyResource): boolean {
    return (props["state"] ?? "ENABLED") === "ENABLED";
}

/**
 * The longest time between two runs of an AWS schedule expression, in hours: `cron(0 0/6 * * ? *)` is 6. Undefined
 * for what does not run every day, and for what runs more than once in an hour.
 */
export function hoursBetween(expression: string): number | undefined {
    const [, count, unit] = /^rate\((\d+) (hour|day)s?\)$/.exec(expression) ?? [];
    if (count !== undefined) {
        return Number(count) * (unit === "day" ? 24 : 1);
    }
    const [, hours] = /^cron\(\d+ (\S+) [*?] \* [*?] \*\)$/.exec(expression) ?? [];
    const runs = hours === undefined ? [] : hoursOf(hours);
    const gaps = runs.map((hour, index) => (runs[index + 1] ?? runs[0]! + 24) - hour);
    return gaps.length === 0 ? undefined : Math.max(...gaps);
}

/** The hours of a day that a field of cron names. */
function hoursOf(field: string): number[] {
    const [, start, step] = /^(\*|\d+)\/(\d+)$/.exec(field) ?? [];
    const every = field === "*" ? 1 : Number(step ?? 0);
    if (every > 0) {
        const first = Number(start?.replace("*", "0") ?? 0);
        return Array.from({ length: Math.ceil((24 - first) / every) }, (_, index) => first + index * every);
    }
    return /^\d+(,\d+)*$/.test(field)
        ? field
              .split(",")
              .map(Number)
              .sort((a, b) => a - b)
        : [];
}
