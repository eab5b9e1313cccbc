import assert from "node:assert/strict";
import fc from "fast-check";
import { minutesOf, overlap, utcDaily, utcWeekly } from "../../core/calendar";
import { parseStack } from "../../config";
import { momentIn } from "../calendar";
import { linesOf, type Values, withValue } from "./stackValues";
import { PROPERTY_RUNS } from "../properties";

const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
const clock = (minute: number) =>
    [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0")).join(":");
const timeOfDay = fc.integer({ min: 0, max: 24 * 60 - 1 }).map(clock);
const weekday = fc.constantFrom(...WEEKDAYS);

describe("maintenance and backup windows", () => {
    it("of the runbook is Saturday evening in UTC", () => {
        assert.equal(utcWeekly({ weekday: "sun", start: "02:00", end: "04:00" }), "sat:20:30-sat:22:30");
        assert.equal(utcDaily({ start: "05:00", end: "06:00" }), "23:30-00:30");
    });

    it("agree with the calendar at every half hour of two years", () => {
        // Any instant of the year will do, so that a change of the zone's offset would be found.
        for (let half = 0; half < 2 * 365 * 48; half += 1) {
            const instant = Date.UTC(2026, 0, 1) + half * 30 * 60_000;
            const { weekday, time: start } = momentIn(instant);
            const utc = momentIn(instant, "UTC");
            const window = utcWeekly({ weekday, start, end: start });
            assert.equal(window.split("-")[0], `${utc.weekday}:${utc.time}`);
        }
    });

    it("keep their length", () => {
        fc.assert(
            fc.property(weekday, timeOfDay, timeOfDay, (day, start, end) => {
                const [from, to] = utcWeekly({ weekday: day, start, end })
                    .split("-")
                    .map((text) => {
                        const [name, time] = text.split(/:(.*)/) as [(typeof WEEKDAYS)[number], string];
                        const [hour, minute] = time.split(":").map(Number);
                        return WEEKDAYS.indexOf(name) * 1440 + hour! * 60 + minute!;
                    });
                assert.equal((to! - from! + 7 * 1440) % (7 * 1440), minutesOf({ start, end }));
            }),
            PROPERTY_RUNS,
        );
    });

    it("overlap exactly when a minute is in both", () => {
        const minutesIn = (start: number, length: number) =>
            new Set(Array.from({ length }, (_, index) => (start + index) % (7 * 1440)));
        const minuteOf = (time: string) => {
            const [hour, minute] = time.split(":").map(Number);
            return hour! * 60 + minute!;
        };
        fc.assert(
            fc.property(weekday, timeOfDay, timeOfDay, timeOfDay, timeOfDay, (day, ...times) => {
                const [start, end, from, to] = times as [string, string, string, string];
                const weekly = minutesIn(
                    WEEKDAYS.indexOf(day) * 1440 + minuteOf(start),
                    minutesOf({ start, end }),
                );
                const daily = WEEKDAYS.flatMap((_, index) => [
                    ...minutesIn(index * 1440 + minuteOf(from), minutesOf({ start: from, end: to })),
                ]);
                assert.equal(
                    overlap({ start: from, end: to }, { weekday: day, start, end }),
                    daily.some((minute) => weekly.has(minute)),
                );
            }),
            PROPERTY_RUNS,
        );
    });
});

describe("values of the database", () => {
    const bad: [what: string, path: string, value: unknown, line: string][] = [
        [
            "one subnet",
            "database/subnets",
            ["subnet-00000000"],
            'mcp:database.subnets: found ["subnet-00000000"], expected at least two subnets, in different zones',
        ],
        [
            "a minor version",
            "database/version",
            "17.6",
            'mcp:database.version: found "17.6", expected a major version of PostgreSQL, such as 17',
        ],
        [
            "no room to grow",
            "database/storage",
            { initial: 100, max: 100 },
            "mcp:database.storage.max: found 100, expected at least 110, a tenth more than storage.initial",
        ],
        [
            "a retention below the runbook's",
            "database/backupRetention",
            "29d",
            'mcp:database.backupRetention: found "29d", expected at least 30d in production (section 7.1)',
        ],
        [
            "a retention above what AWS keeps",
            "database/backupRetention",
            "36d",
            'mcp:database.backupRetention: found "36d", expected whole days, at most 35d',
        ],
        [
            "a backup within the maintenance window",
            "database/backupWindow",
            { start: "03:30", end: "04:30" },
            'mcp:database.backupWindow: found {"start":"03:30","end":"04:30"}, expected a window outside of the maintenance window, sun 02:00 to 04:00',
        ],
        [
            "a short backup window",
            "database/backupWindow",
            { start: "05:00", end: "05:20" },
            'mcp:database.backupWindow: found {"start":"05:00","end":"05:20"}, expected at least 30 minutes',
        ],
        [
            "an hour there is not",
            "database/maintenanceWindow",
            { weekday: "sun", start: "24:00", end: "02:00" },
            'mcp:database.maintenanceWindow.start: found "24:00", expected a time of day, such as 02:00',
        ],
        [
            "an unknown active database",
            "database/active",
            "blue",
            'mcp:database.active: found "blue", expected primary or recovery',
        ],
        [
            "an active database that is not there",
            "database/active",
            "recovery",
            'mcp:database.active: found "recovery", expected primary, because there is no mcp:recovery',
        ],
        [
            "a check that does more than ask",
            "database/checks",
            [{ query: "SELECT 1; DROP TABLE tools" }],
            'mcp:database.checks[0].query: found "SELECT 1; DROP TABLE tools", expected a SELECT of one number, on one line and without semicolon',
        ],
        [
            "a restore time without zone",
            "recovery",
            { restoreTime: "2026-01-31 10:30:00" },
            'mcp:recovery.restoreTime: found "2026-01-31 10:30:00", expected a time with its zone, in quotes, such as "2026-01-31T10:30:00+05:30"',
        ],
        [
            "a restore time that the engine read as UTC, whatever was meant",
            "recovery",
            { restoreTime: "2026-01-31 10:30:00 +0000 UTC" },
            'mcp:recovery.restoreTime: found "2026-01-31 10:30:00 +0000 UTC", expected a time with its zone, in quotes, such as "2026-01-31T10:30:00+05:30"',
        ],
        [
            "a restore time of long ago without zone, for one reason",
            "recovery",
            { restoreTime: "2024-01-31T10:30:00" },
            'mcp:recovery.restoreTime: found "2024-01-31T10:30:00", expected a time with its zone, in quotes, such as "2026-01-31T10:30:00+05:30"',
        ],
        [
            "a restore time in the future",
            "recovery",
            { restoreTime: "2026-02-01T05:30:01+05:30" },
            'mcp:recovery.restoreTime: found "2026-02-01T05:30:01+05:30", expected a time in the past',
        ],
        [
            "a restore time that RDS has not saved yet",
            "recovery",
            { restoreTime: "2026-02-01T05:25:01+05:30" },
            'mcp:recovery.restoreTime: found "2026-02-01T05:25:01+05:30", expected a time more than 5 minutes ago: RDS saves what was written every 5 minutes',
        ],
        [
            "a restore time before the retention",
            "recovery",
            { restoreTime: "2025-12-27T05:29:59+05:30" },
            'mcp:recovery.restoreTime: found "2025-12-27T05:29:59+05:30", expected a time of the last 35 days (mcp:database.backupRetention), or mcp:recovery.keep if the instance was restored before',
        ],
        [
            "no image for the tasks",
            "jobs/images/postgres",
            undefined,
            "mcp:jobs.images.postgres: found nothing, expected an image, because the database's tasks run on it",
        ],
    ];
    for (const [what, path, value, line] of bad) {
        it(`refuse ${what}`, () => assert.deepEqual(linesOf(withValue(path, value)), [line]));
    }

    it("refuse a store without EKS, and what depends on a database that is not there", () => {
        const kubernetes = { context: "kind", namespace: "mcp", ingressNamespace: "ingress" };
        const apiServer = { cidr: "10.0.0.0/16" };
        for (const store of ["database", "cache"]) {
            const lines = linesOf(withValue("kubernetes", { ...kubernetes, apiServer }));
            const expected = `expected mcp:kubernetes.cluster, because the ${store} is reached from EKS only`;
            const own = lines.filter((line) => line.startsWith(`mcp:${store}: found `));
            assert.deepEqual([own.length, own[0]!.endsWith(expected)], [1, true], own.join("\n"));
            // The others are what health checks, backups, logs and notices to stakeholders say of themselves.
            assert.equal(lines.length, 7, lines.join("\n"));
        }
        const values: Values = {
            ...withValue("database", undefined),
            recovery: { restoreTime: "2026-01-31T10:30:00+05:30" },
        };
        assert.deepEqual(linesOf(values).sort(), [
            'mcp:recovery: found {"restoreTime":"2026-01-31T10:30:00+05:30"}, expected mcp:database, which it restores',
            'mcp:workloads.mcp-server.secrets.DATABASE_URL: found "database", expected mcp:database, because the secret is its URL',
        ]);
    });

    it("accept a restore time as the engine passes it if it is unquoted", () => {
        const { values } = parseStack(
            withValue("recovery", { restoreTime: "2026-01-31 10:30:00 +0530 +0530" }),
        );
        assert.equal(values?.recovery?.restoreTime, "2026-01-31T10:30:00+05:30");
    });

    it("take the limits themselves", () => {
        for (const restoreTime of ["2026-02-01T05:25:00+05:30", "2025-12-28T00:00:00Z"]) {
            assert.deepEqual(linesOf(withValue("recovery", { restoreTime })), []);
        }
        assert.deepEqual(linesOf(withValue("database/backupRetention", "30d")), []);
        assert.deepEqual(linesOf(withValue("database/backupRetention", "1d", "staging")), []);
        const history = { restoreTime: "2024-01-31T10:30:00Z", keep: true };
        assert.deepEqual(linesOf(withValue("recovery", history)), []);
    });
});
