import assert from "node:assert/strict";
import { canonical, parseStack } from "../../config";
import { linesOf, type Values, withValue } from "./stackValues";

describe("values of the dumps and exports", () => {
    const bad: [what: string, path: string, value: unknown, line: string][] = [
        [
            "a cron time with a mistake",
            "backups/dumps/daily",
            "0 24 * * *",
            'mcp:backups.dumps.daily: found "0 24 * * *", expected a cron time of every day, such as "0 23 * * *"',
        ],
        [
            "a daily dump that is not daily",
            "backups/dumps/daily",
            "0 23 * * 1-5",
            'mcp:backups.dumps.daily: found "0 23 * * 1-5", expected a cron time of every day, such as "0 23 * * *"',
        ],
        [
            // To cron, the first days of a month or any Sunday.
            "a weekly dump that is not weekly",
            "backups/dumps/weekly",
            "0 21 1-7 * 0",
            'mcp:backups.dumps.weekly: found "0 21 1-7 * 0", expected a cron time of one weekday, of which 0 is Sunday, such as "0 21 * * 0"',
        ],
        [
            "an export that is not daily",
            "backups/configurations",
            "@daily",
            'mcp:backups.configurations: found "@daily", expected a cron time of every day, such as "0 23 * * *"',
        ],
        [
            "a daily dump within the backup window",
            "backups/dumps/daily",
            "30 5 * * *",
            'mcp:backups.dumps.daily: found "30 5 * * *", expected a time from which a run, with its deadline, does not overlap the backup window, 05:00 to 06:00',
        ],
        [
            "a weekly dump within the maintenance window",
            "backups/dumps/weekly",
            "0 3 * * 0",
            'mcp:backups.dumps.weekly: found "0 3 * * 0", expected a time from which a run, with its deadline, does not overlap the maintenance window, sun 02:00 to 04:00',
        ],
        [
            "a dump that may run into the database's maintenance",
            "backups/dumps/daily",
            "1 0 * * *",
            'mcp:backups.dumps.daily: found "1 0 * * *", expected a time from which a run, with its deadline, does not overlap the database\'s maintenance (section 5.1), sun 01:00 to 05:00',
        ],
        [
            "a dump while nodes are patched",
            "maintenance/patches",
            { window: { weekday: "wed", start: "22:00", end: "00:00" } },
            'mcp:backups.dumps.daily: found "0 23 * * *", expected a time from which a run, with its deadline, does not overlap the patch window, wed 22:00 to 00:00',
        ],
        [
            "a weekly dump beside the daily one",
            "backups/dumps/weekly",
            "30 23 * * 5",
            'mcp:backups.dumps.weekly: found "30 23 * * 5", expected a time at which no daily dump runs',
        ],
        [
            "a deadline that takes the day",
            "backups/dumps/deadline",
            "7h",
            'mcp:backups.dumps.deadline: found "7h", expected at most 6h',
        ],
        [
            "a table that is no name",
            "backups/dumps/tables",
            ["tools; x"],
            'mcp:backups.dumps.tables[0]: found "tools; x", expected the name of a table, such as tools',
        ],
        [
            "no table at all",
            "backups/dumps/tables",
            [],
            "mcp:backups.dumps.tables: found [], expected at least one table",
        ],
        [
            "a size without unit",
            "backups/dumps/minimumSize",
            "100",
            'mcp:backups.dumps.minimumSize: found "100", expected the size of a file, such as 64Ki or 2Mi',
        ],
        [
            "a disk without unit",
            "backups/dumps/scratch",
            "10",
            'mcp:backups.dumps.scratch: found "10", expected the size of a disk, such as 10Gi',
        ],
        [
            "a name of a manual dump that is a path",
            "backups/manual",
            "../daily/x",
            'mcp:backups.manual: found "../daily/x", expected a ticket or a date of at most 40 letters, digits, dots and hyphens, such as CHG-1041',
        ],
        [
            "a pg_dump older than the server",
            "jobs/images/postgres",
            "public.ecr.aws/docker/library/postgres:16.9-bookworm",
            'mcp:jobs.images.postgres: found "public.ecr.aws/docker/library/postgres:16.9-bookworm", expected version 17 or newer, because pg_dump refuses a server newer than itself',
        ],
        [
            "a release that changes the database perhaps",
            "workloads/mcp-server/releases/green/databaseChange",
            "maybe",
            'mcp:workloads.mcp-server.releases.green.databaseChange: found "maybe", expected true or false',
        ],
    ];
    for (const [what, path, value, line] of bad) {
        it(`refuse ${what}`, () => assert.deepEqual(linesOf(withValue(path, value)), [line]));
    }

    it("refuse a release that changes a database which is not there, or which nothing is saved of", () => {
        const line = (workload: string) =>
            `mcp:workloads.${workload}.databaseChange: found true, expected mcp:database and mcp:backups, because a dump is taken before it`;
        const changing = (values: Values) => {
            const { workloads } = structuredClone(values) as { workloads: Record<string, Values> };
            const server = workloads["mcp-server"] as {
                releases: Record<string, Values>;
                secrets: Record<string, string>;
            };
            server.releases["green"]!["databaseChange"] = true;
            delete server.secrets["DATABASE_URL"];
            (workloads["chat-ui"]!["release"] as Values)["databaseChange"] = true;
            return { ...values, workloads };
        };
        const lines = ["mcp-server.releases.green", "chat-ui.release"].map(line).sort();
        for (const concern of ["database", "backups"]) {
            assert.deepEqual(linesOf(changing(withValue(concern, undefined))).sort(), lines);
        }
        assert.deepEqual(linesOf(changing(withValue("x", undefined))), []);
    });

    it("refuse a dump on demand of a database that is not there", () => {
        const values = withValue("backups/manual", "CHG-1041");
        delete values["database"];
        assert.ok(
            linesOf(values).includes(
                'mcp:backups.manual: found "CHG-1041", expected mcp:database, which it dumps',
            ),
        );
    });

    it("take the times next to the windows, and a name as the engine hands on a date", () => {
        for (const daily of ["0 0 * * *", "00 06 * * *"]) {
            assert.deepEqual(linesOf(withValue("backups/dumps/daily", daily)), []);
        }
        const { values } = parseStack(
            canonical(withValue("backups/manual", "2026-01-31 00:00:00 +0000 UTC")) as Values,
        );
        assert.equal(values?.backups?.manual, "2026-01-31");
        assert.equal(values?.backups?.dumps.minimumSize, 8192);
    });
});
