import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type GateContext, gateMain, type GateResult } from "./lib/gate";
import * as z from "zod/mini";
import { oneOf, parse, pattern, seconds, text, wholeNumber } from "./lib/schema";

const WEEKDAYS = {
    sun: "Sunday",
    mon: "Monday",
    tue: "Tuesday",
    wed: "Wednesday",
    thu: "Thursday",
    fri: "Friday",
    sat: "Saturday",
} as const;
type Weekday = keyof typeof WEEKDAYS;
const DAYS = Object.keys(WEEKDAYS) as Weekday[];

const timeOfDay = pattern(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day, such as 01:00");

/** When a task may run: some hours of the first such day of each month. Section 5.1. */
const windowPlan = z.strictObject({
    weekday: oneOf(...DAYS),
    /** Times of day, such as 01:00; the end is after the start. */
    start: timeOfDay,
    end: timeOfDay,
    /** The parts in which nothing else restarts the database or the nodes, in order. */
    open: z.array(z.strictObject({ start: timeOfDay, end: timeOfDay })),
    /** Offset of the window's time zone from UTC, in minutes. */
    offsetMinutes: wholeNumber(-720, 840),
    /** Whether a schedule starts the task daily: on other days than the month's first such one, it does nothing. */
    scheduled: z.boolean(),
    /** Name of the run. Default: the date of the window, so that all runs of a window are one. */
    run: z.optional(text),
    /** Reason to run at any time. Undefined: it does not. */
    force: z.optional(text),
    /** Deadline of a forced run, in seconds. */
    limitSeconds: seconds,
});

/** When a task may run: some hours of the first such day of each month. Section 5.1. */
export type WindowPlan = z.infer<typeof windowPlan>;

/** Decision on a run, and its end, in milliseconds since 1970. */
export type Decision =
    { run: "now"; until: number } | { run: "never" } | { run: "later" } | { run: "another day" };

/** Decides by a clock, in milliseconds since 1970. */
export function decide(plan: WindowPlan, now: number): Decision {
    const { weekday, start, end, open, offsetMinutes, scheduled } = plan;
    if (plan.force !== undefined) {
        return { run: "now", until: now + plan.limitSeconds * 1000 };
    }
    const local = localTime(plan, now);
    const [day, time] = local.toISOString().split("T") as [string, string];
    const isTime = time >= start && time < end;
    if (isTime && DAYS[local.getUTCDay()] === weekday && local.getUTCDate() <= 7) {
        const part = open.find((each) => time >= each.start && time < each.end);
        if (part === undefined) {
            return { run: scheduled ? "later" : "never" };
        }
        return { run: "now", until: Date.parse(`${day}T${part.end}Z`) - offsetMinutes * 60_000 };
    }
    return { run: isTime && scheduled ? "another day" : "never" };
}

/** Local time of the window's zone, read in UTC. */
function localTime({ offsetMinutes }: WindowPlan, now: number): Date {
    return new Date(now + offsetMinutes * 60_000);
}

/** Writes files for the next steps: the run's name and end, or that there is nothing to do. */
export function runWindow(plan: WindowPlan, { now = Date.now }: GateContext, directory: string): GateResult {
    const time = now();
    const decision = decide(plan, time);
    const leave = (name: string, content: string) => writeFileSync(join(directory, name), content);
    const first = `the first ${WEEKDAYS[plan.weekday]} of the month`;
    if (decision.run === "another day") {
        leave("skip", "");
        return { passed: true, line: `PASSED today is not ${first}: nothing to be done.` };
    }
    const parts = plan.open.map(({ start, end }) => `${start} to ${end}`).join(", ");
    if (decision.run === "later") {
        leave("skip", "");
        leave("unfinished", "");
        return { passed: true, line: `PASSED nodes or the database may restart now: only ${parts} is used.` };
    }
    const shown = (time: number) => localTime(plan, time).toISOString().slice(0, 16).replace("T", " ");
    if (decision.run === "never") {
        return {
            passed: false,
            line: `FAILED at ${shown(time)} the window is not open: ${first}, ${parts}. A reason forces it.`,
        };
    }
    leave("until", `${Math.floor(decision.until / 1000)}\n`);
    leave("run", `${plan.run ?? shown(time).slice(0, 10)}\n`);
    const why = plan.force === undefined ? "in its window" : `forced: ${plan.force}`;
    return { passed: true, line: `PASSED until ${shown(decision.until)}, ${why}` };
}

/** Parses a plan's file; throws an error with path, found and expected. */
export function parseWindowPlan(raw: unknown): WindowPlan {
    return parse(windowPlan, raw);
}

if (require.main === module) {
    void gateMain(parseWindowPlan, (plan, context) =>
        Promise.resolve(runWindow(plan, context, process.env["HANDOVER"] ?? "")),
    );
}
