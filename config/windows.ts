import { z } from "zod";
import { startOf, WEEKDAYS } from "../core/calendar";
import { typedText } from "./scalars";

/** A time of day, in the zone of the runbook. */
const TIME_OF_DAY = "a time of day, such as 02:00";

/** A time of day; what is none aborts, so that no rule goes on to reckon with it. */
export const timeOfDay = typedText(
    z.string({ error: TIME_OF_DAY }).regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: TIME_OF_DAY, abort: true }),
);

/** A window of every day, in the zone of the runbook. */
export const dailyWindow = z.strictObject({ start: timeOfDay, end: timeOfDay });

/** A day of the week. */
export const weekday = z.enum(WEEKDAYS, { error: `one of ${WEEKDAYS.join(", ")}` });

/** A window of every week, in the zone of the runbook. */
export const weeklyWindow = z.strictObject({
    weekday,
    start: timeOfDay,
    end: timeOfDay,
});

/** Starts every day. */
export const dailyStart = cronTimeOf(
    /^[0-5]?\d ([01]?\d|2[0-3]) \* \* \*$/,
    'a cron time of every day, such as "0 23 * * *"',
);

/** Starts on one day of the week. */
export const weeklyStart = cronTimeOf(
    /^[0-5]?\d ([01]?\d|2[0-3]) \* \* [0-6]$/,
    'a cron time of one weekday, of which 0 is Sunday, such as "0 21 * * 0"',
);

function cronTimeOf(form: RegExp, error: string) {
    // What is no time at all is not compared with windows.
    return z.string({ error }).regex(form, { error, abort: true }).transform(startOf);
}
