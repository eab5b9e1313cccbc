import { type Weekday } from "../core/calendar";
import { TIME_ZONE } from "../core/numbers";

/** A moment as the calendar and the clocks of a zone show it. */
export interface Moment {
    year: number;
    month: number;
    day: number;
    weekday: Weekday;
    /** Time of day: `02:00`. */
    time: string;
}

/** By zone; made once, for each takes longer than a hundred uses of it. */
const clocks = new Map<string, Intl.DateTimeFormat>();

/** A moment in a zone, by the platform's own calendar. Default: the runbook's zone. */
export function momentIn(instant: Date | number, timeZone = TIME_ZONE): Moment {
    const clock =
        clocks.get(timeZone) ??
        new Intl.DateTimeFormat("en", {
            timeZone,
            year: "numeric",
            month: "numeric",
            day: "numeric",
            weekday: "short",
            hour: "2-digit",
            minute: "2-digit",
            hourCycle: "h23",
        });
    clocks.set(timeZone, clock);
    const parts = clock.formatToParts(instant);
    const part = (type: string) => parts.find((each) => each.type === type)!.value;
    return {
        year: Number(part("year")),
        month: Number(part("month")),
        day: Number(part("day")),
        weekday: part("weekday").toLowerCase() as Weekday,
        time: `${part("hour")}:${part("minute")}`,
    };
}
