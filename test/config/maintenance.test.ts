import assert from "node:assert/strict";
import {
    everyWeek,
    everyWeekOfFive,
    firstOfMonth,
    firstOfMonthOfFive,
    hourlyIn,
    inRunbookZone,
    meet,
    nthOfMonths,
    spans,
} from "../../core/calendar";
import { quietParts } from "../../config/maintenance";
import { decide, type WindowPlan } from "../../jobs/window";
import { DATABASE_WINDOW, PATCH_WINDOW } from "../../core/numbers";
import { type Moment, momentIn } from "../calendar";
import { linesOf, type Values, valuesOf, withValue } from "./stackValues";

/** Whether an expression of AWS's six fields holds at a moment: as much of it as the windows use. */
function holds(cron: string, { day, weekday, time }: Moment): boolean {
    const [minute, hour, dayOfMonth, month, dayOfWeek, year] = cron.split(" ");
    assert.deepEqual([dayOfMonth, month, year], ["?", "*", "*"]);
    const [name, nth] = dayOfWeek!.split("#");
    return (
        time === `${hour!.padStart(2, "0")}:${minute!.padStart(2, "0")}` &&
        weekday === name!.toLowerCase() &&
        (nth === undefined || Math.ceil(day / 7) === Number(nth))
    );
}

/** The same of the five fields that alarms are muted by, of which one is left open: the day of the month or the weekday. */
function holdsOfFive(cron: string, { month, day, weekday, time }: Moment): boolean {
    const [minute, hour, dayOfMonth, months, dayOfWeek] = cron.split(" ");
    assert.ok(dayOfMonth === "*" || dayOfWeek === "*", cron);
    return (
        time === `${hour!.padStart(2, "0")}:${minute!.padStart(2, "0")}` &&
        (dayOfMonth === "*" || Number(dayOfMonth) === day) &&
        (months === "*" || months!.split(",").map(Number).includes(month)) &&
        (dayOfWeek === "*" || dayOfWeek!.toLowerCase() === weekday)
    );
}

/** Every half hour of two years, as the runbook's zone has it; one of the two is a leap year. */
const HALF_HOURS: readonly Moment[] = Array.from({ length: 731 * 48 }, (_, half) =>
    momentIn(Date.UTC(2027, 0, 1) + half * 30 * 60_000),
);

describe("windows by the calendar", () => {
    it("of the patches open on every Sunday of two years", () => {
        const open = HALF_HOURS.filter((moment) => holds(everyWeek(PATCH_WINDOW), moment));
        assert.deepEqual(
            open.map(({ month, day }) => `${month}-${day}`),
            HALF_HOURS.filter(({ weekday, time }) => weekday === "sun" && time === "02:00").map(
                ({ month, day }) => `${month}-${day}`,
            ),
        );
        assert.equal(open.length, 105);
    });

    it("of the database open once a month, on its first Sunday", () => {
        const open = HALF_HOURS.filter((moment) => holds(firstOfMonth(DATABASE_WINDOW), moment));
        assert.deepEqual(
            open.map(({ year, month }) => `${year}-${month}`),
            [2027, 2028].flatMap((year) => Array.from({ length: 12 }, (_, month) => `${year}-${month + 1}`)),
        );
        assert.ok(open.every(({ day, weekday, time }) => day <= 7 && weekday === "sun" && time === "01:00"));
        // In UTC, August's begins on the last day of July.
        assert.deepEqual(
            open.filter(({ day }) => day === 1).map(({ year, month }) => `${year}-${month}`),
            ["2027-8", "2028-10"],
        );
    });

    it("mute alarms exactly when they open, in both years", () => {
        const patches = everyWeekOfFive(PATCH_WINDOW);
        const database = Object.fromEntries(
            [2027, 2028].map((year) => [
                year,
                firstOfMonthOfFive(DATABASE_WINDOW, year).map(({ cron }) => cron),
            ]),
        );
        for (const moment of HALF_HOURS) {
            assert.equal(holdsOfFive(patches, moment), holds(everyWeek(PATCH_WINDOW), moment));
            const muting = (database[moment.year] ?? []).filter((cron) => holdsOfFive(cron, moment));
            assert.equal(muting.length, holds(firstOfMonth(DATABASE_WINDOW), moment) ? 1 : 0);
        }
    });

    it("never have the database maintained while nodes or the database itself may restart, in both years", () => {
        const patches = { weekday: "sun", start: "02:00", end: "04:00" } as const;
        for (const [maintenanceWindow, expected] of [
            [patches, 120],
            [{ weekday: "sun", start: "00:00", end: "01:30" }, 90],
            [{ weekday: "sat", start: "23:00", end: "02:00" }, 60],
        ] as const) {
            const plan: WindowPlan = {
                ...DATABASE_WINDOW,
                open: quietParts({
                    maintenance: { patches: { window: patches } },
                    database: { maintenanceWindow },
                }),
                offsetMinutes: 330,
                scheduled: true,
                limitSeconds: 14_400,
            };
            const restarts = [patches, maintenanceWindow].flatMap(spans);
            const used = new Map<string, number>();
            HALF_HOURS.forEach(({ year, month, weekday, time }, half) => {
                const now = Date.UTC(2027, 0, 1) + half * 30 * 60_000;
                const decision = decide(plan, now);
                if (decision.run !== "now") return;
                const [start] = spans({ weekday, start: time, end: "00:00" });
                // Up to the minute in which the server breaks it off.
                const length = (decision.until - now) / 60_000;
                assert.ok(
                    !restarts.some((span) => meet(span, { start: start!.start, length })),
                    new Date(now).toISOString(),
                );
                const key = `${year}-${month}`;
                used.set(key, (used.get(key) ?? 0) + 30);
            });
            assert.deepEqual([...new Set(used.values())], [expected]);
            assert.equal(used.size, 24);
        }
    });

    it("of the database are looked at every hour, within it alone", () => {
        assert.equal(hourlyIn(DATABASE_WINDOW), "0 1,2,3,4 * * *");
        assert.equal(hourlyIn({ start: "22:30", end: "01:00" }), "30 22,23,0 * * *");
    });

    it("of the certificates follow their reminder by two weeks, once a quarter, in both years", () => {
        const starts = (nth: number) => {
            const cron = nthOfMonths({ weekday: "sun", start: "06:00" }, nth, [1, 4, 7, 10]);
            assert.equal(cron, `0 6 ? 1,4,7,10 SUN#${nth} *`);
            return HALF_HOURS.flatMap(({ month, day, weekday, time }, half) =>
                [1, 4, 7, 10].includes(month) &&
                weekday === "sun" &&
                Math.ceil(day / 7) === nth &&
                time === "06:00"
                    ? [half]
                    : [],
            );
        };
        const [reminders, windows] = [starts(1), starts(3)];
        assert.equal(windows.length, 8);
        assert.deepEqual(
            windows.map((half, index) => (half - reminders[index]!) / 48),
            Array<number>(8).fill(14),
        );
    });

    it("of an upgrade are written as the clocks of the zone show them", () => {
        assert.equal(inRunbookZone("2027-01-10T02:00:00+05:30"), "2027-01-10T02:00");
        assert.equal(inRunbookZone("2026-12-31T20:00:00Z"), "2027-01-01T01:30");
    });
});

describe("values of the maintenance", () => {
    const bad: [what: string, path: string, value: unknown, line: string][] = [
        [
            "a day that is none",
            "maintenance/patches/window",
            { weekday: "sunday", start: "02:00", end: "04:00" },
            'mcp:maintenance.patches.window.weekday: found "sunday", expected one of mon, tue, wed, thu, fri, sat, sun',
        ],
        [
            "a time that is none",
            "maintenance/patches/window",
            { weekday: "sun", start: "24:00", end: "04:00" },
            'mcp:maintenance.patches.window.start: found "24:00", expected a time of day, such as 02:00',
        ],
        [
            "a window that SSM cannot keep",
            "maintenance/patches/window",
            { weekday: "sun", start: "02:00", end: "03:30" },
            'mcp:maintenance.patches.window: found {"weekday":"sun","start":"02:00","end":"03:30"}, expected a window of whole hours, at least two',
        ],
        [
            "a window in which nothing would be begun",
            "maintenance/patches/window",
            { weekday: "sun", start: "02:00", end: "03:00" },
            'mcp:maintenance.patches.window: found {"weekday":"sun","start":"02:00","end":"03:00"}, expected a window of whole hours, at least two',
        ],
        [
            "another zone",
            "maintenance/patches/window",
            { weekday: "sun", start: "02:00", end: "04:00", zone: "UTC" },
            "mcp:maintenance.patches.window.zone: found an unknown key, expected one of end, start, weekday",
        ],
        [
            "a system whose patches it does not know",
            "maintenance/patches/operatingSystem",
            "WINDOWS",
            'mcp:maintenance.patches.operatingSystem: found "WINDOWS", expected AMAZON_LINUX_2023 or AMAZON_LINUX_2',
        ],
        [
            "a drain that takes half of the window",
            "maintenance/patches/drain",
            "61m",
            'mcp:maintenance.patches.drain: found "61m", expected at most 1h',
        ],
        [
            "a year in which there is nothing to mute any more",
            "maintenance/mutedYears",
            [2025],
            "mcp:maintenance.mutedYears[0]: found 2025, expected a whole number from 2026 to 2100",
        ],
        [
            "the same year twice",
            "maintenance/mutedYears",
            [2027, 2027],
            "mcp:maintenance.mutedYears: found [2027,2027], expected each year once",
        ],
        [
            "certificates that are left out for a quarter",
            "maintenance/certificates",
            { months: [1, 4, 5, 10] },
            "mcp:maintenance.certificates.months: found [1,4,5,10], expected at least one month of each quarter, each once",
        ],
        [
            "an upgrade without its zone",
            "maintenance/upgrade",
            { start: "2027-01-10T02:00:00", version: "1.34" },
            'mcp:maintenance.upgrade.start: found "2027-01-10T02:00:00", expected a time with its zone, in quotes, such as "2026-01-31T10:30:00+05:30"',
        ],
        [
            "an upgrade to a patch",
            "maintenance/upgrade",
            { start: "2027-01-10T02:00:00+05:30", version: "1.34.1" },
            'mcp:maintenance.upgrade.version: found "1.34.1", expected a minor version of Kubernetes, in quotes, such as "1.34"',
        ],
        [
            "an upgrade of days",
            "maintenance/upgrade",
            { start: "2027-01-10T02:00:00+05:30", version: "1.34", duration: "2d" },
            'mcp:maintenance.upgrade.duration: found "2d", expected a duration of whole minutes, at most 1d',
        ],
    ];
    for (const [what, path, value, line] of bad) {
        it(`refuse ${what}`, () => assert.deepEqual(linesOf(withValue(path, value)), [line]));
    }

    it("ask for a cluster on EKS and an image, where the check of an upgrade tells CloudWatch", () => {
        const values = withValue("maintenance/upgrade", {
            start: "2027-01-10T02:00:00+05:30",
            version: "1.34",
        });
        delete (values["kubernetes"] as Values)["cluster"];
        delete ((values["jobs"] as Values)["images"] as Values)["aws"];
        const lines = linesOf(values);
        for (const line of [
            'mcp:maintenance.upgrade: found {"start":"2027-01-10T02:00:00+05:30","version":"1.34"}, expected mcp:kubernetes.cluster, because its check publishes to CloudWatch from EKS only',
            "mcp:jobs.images.aws: found nothing, expected an image, because it publishes the result of the upgrade check",
        ]) {
            assert.ok(lines.includes(line), lines.join("\n"));
        }
    });

    it("leave the maintenance of the database its time", () => {
        const values = withValue("maintenance/patches/window", {
            weekday: "sun",
            start: "01:00",
            end: "04:00",
        });
        (values["database"] as Values)["maintenanceWindow"] = {
            weekday: "sun",
            start: "04:00",
            end: "04:30",
        };
        assert.deepEqual(linesOf(values), [
            'mcp:database.maintenanceWindow: found {"weekday":"sun","start":"04:00","end":"04:30"}, expected a window that, with mcp:maintenance.patches.window, leaves an hour of sun 01:00 to 05:00 for the maintenance of the database',
        ]);
    });

    it("restart nodes on EKS only", () => {
        const linesWith = (patches: Values) => {
            const values = withValue("maintenance/patches", patches);
            delete (values["kubernetes"] as Values)["cluster"];
            return linesOf(values).filter((line) => line.startsWith("mcp:maintenance"));
        };
        const line =
            "mcp:maintenance.patches.reboot: found nothing, expected false, or mcp:kubernetes.cluster, because draining uses its API";
        assert.deepEqual(linesWith({}), [line]);
        assert.deepEqual(linesWith({ reboot: false }), []);
    });

    it("may be left out", () => {
        const values: Values = valuesOf("production");
        delete values["maintenance"];
        assert.deepEqual(linesOf(values), []);
    });
});
