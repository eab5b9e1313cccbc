import assert from "node:assert/strict";
import fc from "fast-check";
import { hoursCron, openHours, START_WINDOW_MINUTES } from "../../core/snapshotHours";
import { WEEKDAYS } from "../../core/calendar";
import { BACKUPS, PATCH_WINDOW } from "../../core/numbers";
import { parseStack } from "../../config";
import { linesOf, valuesOf, withValue } from "./stackValues";
import { PROPERTY_RUNS } from "../properties";

const BACKUP_WINDOW = { start: "05:00", end: "06:00" };
const DAY = 24 * 60;
const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
const clock = (minute: number) =>
    [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0")).join(":");

/** The minutes of a week that a span takes, one by one. */
const minutesFrom = (start: number, length: number) =>
    Array.from({ length }, (_, index) => (((start + index) % (7 * DAY)) + 7 * DAY) % (7 * DAY));

describe("the hours of the hourly snapshots", () => {
    it("leave out the windows of the instance, the hour before each, and the daily snapshot's", () => {
        assert.deepEqual(openHours([PATCH_WINDOW, BACKUP_WINDOW], "00:00").map(hoursCron), [
            "0 1,2,3,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23 ? * MON,TUE,WED,THU,FRI,SAT *",
            "0 6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23 ? * SUN *",
        ]);
    });

    it("reach over midnight and over the end of the week", () => {
        const late = { weekday: "sun", start: "23:30", end: "00:30" } as const;
        const hours = openHours([late, { start: "12:00", end: "12:30" }], "06:30");
        const of = (day: (typeof WEEKDAYS)[number]) =>
            hours.find(({ weekdays }) => weekdays.includes(day))!.hours;
        assert.deepEqual(
            [0, 1, 21, 22, 23].map((hour) => [of("sun").includes(hour), of("mon").includes(hour)]),
            [
                [true, false],
                [true, true],
                [true, true],
                [false, true],
                [false, true],
            ],
        );
        assert.deepEqual(
            [5, 6, 7, 8].map((hour) => of("wed").includes(hour)),
            [true, false, false, true],
        );
    });

    it("are all those at which a snapshot may start, and no others", () => {
        const time = fc.integer({ min: 0, max: DAY - 1 }).map(clock);
        const length = fc.integer({ min: 30, max: 240 });
        const weekday = fc.constantFrom(...WEEKDAYS);
        fc.assert(
            fc.property(
                time,
                time,
                time,
                length,
                length,
                weekday,
                (one, other, daily, first, second, day) => {
                    const maintenance = {
                        weekday: day,
                        start: one,
                        end: clock((minutes(one) + first) % DAY),
                    };
                    const backup = { start: other, end: clock((minutes(other) + second) % DAY) };
                    const closed = new Set([
                        ...minutesFrom(WEEKDAYS.indexOf(day) * DAY + minutes(one) - 60, first + 60),
                        ...WEEKDAYS.flatMap((_, index) => [
                            ...minutesFrom(index * DAY + minutes(other) - 60, second + 60),
                            ...minutesFrom(index * DAY + minutes(daily), START_WINDOW_MINUTES),
                        ]),
                    ]);
                    const open = new Set(
                        openHours([maintenance, backup], daily).flatMap(({ weekdays, hours }) =>
                            weekdays.flatMap((each) => hours.map((hour) => `${each} ${hour}`)),
                        ),
                    );
                    for (const [index, each] of WEEKDAYS.entries()) {
                        for (let hour = 0; hour < 24; hour++) {
                            const due = minutesFrom(index * DAY + hour * 60, START_WINDOW_MINUTES);
                            const free = due.every((minute) => !closed.has(minute));
                            assert.equal(open.has(`${each} ${hour}`), free, `${each} ${hour}`);
                        }
                    }
                },
            ),
            PROPERTY_RUNS,
        );
    });
});

describe("values of the database's snapshots", () => {
    const outside =
        "expected an hour outside of the maintenance window (sun 02:00 to 04:00), of the backup window (05:00 to 06:00), and of the hour before each";
    const bad: [what: string, path: string, value: unknown, line: string][] = [
        [
            "daily ones kept shorter than the runbook says",
            "database/snapshots",
            { daily: { retention: "29d" } },
            'mcp:database.snapshots.daily.retention: found "29d", expected at least 30d in production (section 7.1)',
        ],
        [
            "hourly ones kept for less than a day",
            "database/snapshots",
            { hourly: { retention: "23h" } },
            'mcp:database.snapshots.hourly.retention: found "23h", expected whole days, at most 1095d',
        ],
        [
            "a time that is none",
            "database/snapshots",
            { daily: { start: "24:00" } },
            'mcp:database.snapshots.daily.start: found "24:00", expected a time of day, such as 02:00',
        ],
        [
            "a cron in place of a time",
            "database/snapshots",
            { daily: { start: "cron(0 0 * * ? *)" } },
            'mcp:database.snapshots.daily.start: found "cron(0 0 * * ? *)", expected a time of day, such as 02:00',
        ],
        ...["02:00", "00:01", "03:59", "05:59", "03:01"].map((start): [string, string, unknown, string] => [
            `a daily one that may start at ${start}, beside a window of the instance`,
            "database/snapshots",
            { daily: { start } },
            `mcp:database.snapshots.daily.start: found "${start}", ${outside}`,
        ]),
        [
            "a day there is not",
            "database/snapshots",
            { restoreTest: { weekday: "monday" } },
            'mcp:database.snapshots.restoreTest.weekday: found "monday", expected one of mon, tue, wed, thu, fri, sat, sun',
        ],
        [
            "an unknown schedule",
            "database/snapshots",
            { weekly: {} },
            "mcp:database.snapshots.weekly: found an unknown key, expected one of daily, hourly, restoreTest",
        ],
    ];
    for (const [what, path, value, line] of bad) {
        it(`refuse ${what}`, () => assert.deepEqual(linesOf(withValue(path, value)), [line]));
    }

    it("refuse a backup window that leaves no hour", () => {
        const values = withValue("database/backupWindow", { start: "06:00", end: "03:00" }, "staging");
        const all = {
            ...values,
            database: {
                ...(values["database"] as object),
                snapshots: { daily: { start: "04:00" } },
                maintenanceWindow: { weekday: "sun", start: "03:00", end: "03:30" },
            },
        };
        // The dumps have something to say of it, too.
        assert.deepEqual(linesOf({ ...all, backups: undefined }), [
            'mcp:database.backupWindow: found {"start":"06:00","end":"03:00"}, expected windows that leave an hour of every day for the hourly snapshots',
        ]);
    });

    it("are the runbook's where nothing is said, and may be shorter outside production", () => {
        assert.deepEqual(parseStack(valuesOf("production")).values?.database?.snapshots, {
            hourly: { retention: BACKUPS.postgresql.hourly.retentionDays },
            daily: { start: "00:00", retention: BACKUPS.postgresql.daily.retentionDays },
            restoreTest: { weekday: "mon", start: "10:00" },
        });
        assert.deepEqual(
            [BACKUPS.postgresql.hourly.retentionDays, BACKUPS.postgresql.daily.retentionDays],
            [1, 30],
        );
        const short = { daily: { retention: "7d" } };
        assert.deepEqual(linesOf(withValue("database/snapshots", short, "staging")), []);
        for (const start of ["00:00", "06:00", "23:59"]) {
            assert.deepEqual(linesOf(withValue("database/snapshots", { daily: { start } })), []);
        }
    });
});
