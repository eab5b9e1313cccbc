import { z } from "zod";
import { startOf, WEEKDAYS } from "../core/calendar";
import { typedText } from "./scalars";

/** A time of day, in the runbook's time zone. */
const TIME_OF_DAY = "a time of day, such as 02:00";

/** A time of day. An invalid one aborts, so that later rules do not calculate with it. */
export const timeOfDay = typedText(
    z.string({ error: TIME_OF_DAY }).regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: TIME_OF_DAY, abort: true }),
);

/** A daily window, in the runbook's time zone. */
export const dailyWindow = z.strictObject({ start: timeOfDay, end: timeOfDay });

/** A day of the week. */
export const weekday = z.enum(WEEKDAYS, { error: `one of ${WEEKDAYS.join(", ")}` });

/** A weekly window, in the runbook's time zone. */
export const weeklyWindow = z.strictObject({
    weekday,
    start: timeOfDay,
    end: timeOfDay,
});

/** Daily start. */
export const dailyStart = cronTimeOf(
    /^[0-5]?\d ([01]?\d|2[0-3]) \* \* \*$/,
    'a cron time of every day, such as "0 23 * * *"',
);

/** Weekly start. */
export const weeklyStart = cronTimeOf(
    /^[0-5]?\d ([01]?\d|2[0-3]) \* \* [0-6]$/,
    'a cron time of one weekday, of which 0 is Sunday, such as "0 21 * * 0"',
);

function cronTimeOf(form: RegExp, error: string) {
    // Invalid times are not compared with windows.
    return z.string({ error }).regex(form, { error, abort: true }).transform(startOf);
}
