import { meet, type Span, spans, type Weekday, WEEKDAYS, type Window } from "./calendar";

/** Time within which a job of AWS Backup starts, AWS's minimum. In minutes. */
export const START_WINDOW_MINUTES = 60;

/** Maximum duration of a job from its scheduled time, in minutes. */
export const COMPLETION_WINDOW_MINUTES = 120;

/** AWS Backup starts no job in a window of the instance, or this long before it. In minutes. */
const LEAD_MINUTES = 60;

/** Hours of some weekdays. */
export interface Hours {
    weekdays: Weekday[];
    hours: number[];
}

/**
 * The full hours of each weekday at which a snapshot can be scheduled: its start cannot fall into a window of the
 * instance, into the hour before one, or on the daily snapshot. Days with the same hours are grouped.
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

/** The longest gap between these hours, in hours. */
export function longestGap(open: readonly Hours[]): number {
    const due = open
        .flatMap(({ weekdays, hours }) =>
            weekdays.flatMap((day) => hours.map((hour) => WEEKDAYS.indexOf(day) * 24 + hour)),
        )
        .sort((one, other) => one - other);
    // The week wraps around.
    return Math.max(...due.map((hour, index) => (due[index + 1] ?? due[0]! + WEEKDAYS.length * 24) - hour));
}

/** Parts of the week in which AWS Backup starts no job because of a window of the instance. */
export function closedBy(window: Window): Span[] {
    return spans(window).map(({ start, length }) => ({
        start: start - LEAD_MINUTES,
        length: length + LEAD_MINUTES,
    }));
}

/** Interval in which a job scheduled at a time may start. */
export function startSpans(start: string, day?: Weekday): Span[] {
    return spans({ start, end: start, ...(day === undefined ? {} : { weekday: day }) }).map((span) => ({
        ...span,
        length: START_WINDOW_MINUTES,
    }));
}
