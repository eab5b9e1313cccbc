import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { decide, parseWindowPlan, runWindow, type WindowPlan } from "../../jobs/window";
import { displayed } from "../../offline/property";
import { DATABASE_WINDOW, ZONE_OFFSET_MINUTES } from "../../core/numbers";
import { momentIn } from "../calendar";
import { only, recordStack } from "../support";
import { freePort, lockTable, type Postgres, startPostgres, whyNoPostgres } from "./postgres";
import { type Ended, StepFolder } from "./steps";

const PASSWORD = String.raw`planted:\maintenance`;

let folder: StepFolder;
beforeEach(() => {
    folder = new StepFolder();
});
afterEach(() => folder.remove());

const PLAN: WindowPlan = {
    ...DATABASE_WINDOW,
    open: [{ start: "01:00", end: "05:00" }],
    offsetMinutes: ZONE_OFFSET_MINUTES,
    scheduled: false,
    limitSeconds: 4 * 3600,
};

describe("the window of the database's maintenance", () => {
    const at = (time: string) => Date.parse(`${time}+05:30`);

    it("is open once a month in ten years, on its first Sunday from 01:00 to 05:00 in India", () => {
        const seen = new Set<string>();
        let open = 0;
        // Every half hour of ten years and, from the calendar alone, which of them belong to it.
        for (let day = at("2026-01-01T00:00:00"); day < at("2036-01-01T00:00:00"); day += 86_400_000) {
            const { year, month, weekday } = momentIn(day);
            const first = weekday === "sun" && !seen.has(`${year}-${month}`);
            if (first) seen.add(`${year}-${month}`);
            for (let half = 0; half < 48; half += 1) {
                const time = day + half * 1_800_000;
                const expected = first && half >= 2 && half < 10;
                assert.equal(
                    decide(PLAN, time).run,
                    expected ? "now" : "never",
                    new Date(time).toISOString(),
                );
                open += expected ? 1 : 0;
            }
        }
        assert.deepEqual([seen.size, open], [120, 960]);
    });

    it("lasts from its first minute to its last, and says when it ends", () => {
        const until = at("2026-12-06T05:00:00");
        for (const [time, decision] of [
            ["2026-12-06T00:59:59.999", { run: "never" }],
            ["2026-12-06T01:00:00", { run: "now", until }],
            ["2026-12-06T04:59:59.999", { run: "now", until }],
            ["2026-12-06T05:00:00", { run: "never" }],
        ] as const) {
            assert.deepEqual(decide(PLAN, at(time)), decision, time);
        }
    });

    it("is passed over by the clock's other days, at its time, and by nothing else", () => {
        const scheduled = { ...PLAN, scheduled: true };
        assert.equal(decide(scheduled, at("2026-12-13T01:00:05")).run, "another day");
        assert.equal(decide(scheduled, at("2026-12-07T01:00:00")).run, "another day");
        assert.equal(decide(PLAN, at("2026-12-13T01:00:05")).run, "never");
        assert.equal(decide(scheduled, at("2026-12-13T06:00:00")).run, "never");
        assert.equal(decide(scheduled, at("2026-12-07T00:59:59")).run, "never");
    });

    const PARTS = [
        { start: "01:00", end: "02:00" },
        { start: "04:00", end: "05:00" },
    ];

    it("is used only where nodes and database are left alone, up to the next patches", () => {
        const scheduled = { ...PLAN, open: PARTS, scheduled: true };
        for (const [time, decision] of [
            ["01:59:59.999", { run: "now", until: at("2026-12-06T02:00:00") }],
            ["02:00:00", { run: "later" }],
            ["03:59:59.999", { run: "later" }],
            ["04:00:00", { run: "now", until: at("2026-12-06T05:00:00") }],
        ] as const) {
            assert.deepEqual(decide(scheduled, at(`2026-12-06T${time}`)), decision, time);
        }
        assert.equal(decide({ ...PLAN, open: PARTS }, at("2026-12-06T03:00:00")).run, "never");
        assert.equal(decide(scheduled, at("2026-12-13T03:00:00")).run, "another day");
    });

    const look = (plan: Partial<WindowPlan>, time: string) =>
        runWindow(
            parseWindowPlan({ ...PLAN, ...plan }),
            { log: assert.fail, signal: new AbortController().signal, now: () => at(time) },
            folder.handover(""),
        );

    it("tells the next steps until when, in seconds", () => {
        assert.deepEqual(look({}, "2026-12-06T01:30:00"), {
            passed: true,
            line: "PASSED until 2026-12-06 05:00, in its window",
        });
        assert.equal(readFileSync(folder.handover("until"), "utf8"), `${at("2026-12-06T05:00:00") / 1000}\n`);
        assert.equal(readFileSync(folder.handover("run"), "utf8"), "2026-12-06\n");
        assert.deepEqual(readdirSync(folder.handover("")).sort(), ["run", "until"]);
        look({ run: "chg-1" }, "2026-12-06T01:30:00");
        assert.equal(readFileSync(folder.handover("run"), "utf8"), "chg-1\n");
    });

    it("is not reported as done while it is to go on later", () => {
        assert.deepEqual(look({ open: PARTS, scheduled: true }, "2026-12-06T03:00:00"), {
            passed: true,
            line: "PASSED nodes or the database may restart now: only 01:00 to 02:00, 04:00 to 05:00 is used.",
        });
        assert.deepEqual(readdirSync(folder.handover("")).sort(), ["skip", "unfinished"]);
    });

    it("refuses outside of it, and says how it could be done", () => {
        assert.deepEqual(look({}, "2026-12-07T01:30:00"), {
            passed: false,
            line:
                "FAILED at 2026-12-07 01:30 the window is not open: the first Sunday of the month, 01:00 to 05:00. " +
                "A reason forces it.",
        });
        assert.deepEqual(readdirSync(folder.handover("")), []);
    });

    it("runs with a reason, which it prints, for as long as a run may take", () => {
        assert.deepEqual(look({ force: "tables doubled" }, "2026-12-07T22:30:00"), {
            passed: true,
            line: "PASSED until 2026-12-08 02:30, forced: tables doubled",
        });
        assert.equal(readFileSync(folder.handover("until"), "utf8"), `${at("2026-12-08T02:30:00") / 1000}\n`);
    });

    it("leaves nothing to be done on another day", async () => {
        const { passed } = look({ scheduled: true }, "2026-12-13T01:00:05");
        assert.equal(passed, true);
        assert.deepEqual(readdirSync(folder.handover("")), ["skip"]);
    });
});

/** The containers of a run, in the order that the kubelet runs them. */
async function stepsOf(type: string, name: string): Promise<{ name: string; command: string[] }[]> {
    const recording = await recordStack("production", "mcp:operations.databaseMaintenance=CHG-1");
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a manifest is looked into as it is
    const { spec }: any = displayed(only(recording, type, name).inputs as never);
    const pod = (spec.jobTemplate?.spec ?? spec).template.spec;
    return [...pod.initContainers, ...pod.containers];
}

describe("steps of the scheduled maintenance", () => {
    it("report nothing while the run is to go on later", async () => {
        folder.plant("aws", "#!/bin/sh\nexit 9\n");
        writeFileSync(folder.handover("unfinished"), "");
        const { status, output } = await folder.start("succeeded.sh", { METRICS: "M", TASK: "t" }).ended;
        assert.deepEqual([status, output], [0, "! t has not come to its end yet: it is not told\n"]);
    });

    it("do nothing but report on another day, and what they are for on the first Sunday", async () => {
        const steps = await stepsOf("kubernetes:batch/v1:CronJob", "mcp-db-maintenance");
        assert.deepEqual(
            steps.map(({ name }) => name),
            ["window", "pending", "dump", "upload", "maintain", "report"],
        );
        const stub = folder.handover("stub.sh");
        writeFileSync(stub, "echo done; exit 7\n");
        const runStep = ({ command }: { command: string[] }) =>
            folder.command([...command.slice(0, -1), stub]).ended;
        for (const step of steps.slice(1)) {
            assert.deepEqual(await runStep(step), { status: 7, output: "done\n" });
        }
        writeFileSync(folder.handover("skip-dump"), "");
        for (const step of steps.slice(1)) {
            const status = step.name === "dump" ? 0 : 7;
            assert.equal((await runStep(step)).status, status, step.name);
        }
        writeFileSync(folder.handover("skip"), "");
        for (const step of steps.slice(1, -1)) {
            assert.deepEqual(await runStep(step), { status: 0, output: "" });
        }
        assert.deepEqual(await runStep(steps.at(-1)!), { status: 7, output: "done\n" });
    });
});

const missing = whyNoPostgres();
const suite = missing ? describe.skip : describe;

suite(`maintenance of a real PostgreSQL${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(120_000);
    let server: Postgres;
    before(async () => {
        server = await startPostgres("planted-administrator");
        server.sql(`CREATE ROLE mcp LOGIN PASSWORD '${PASSWORD}'; GRANT pg_read_all_stats TO mcp`);
        server.sql(`CREATE ROLE reader LOGIN PASSWORD '${PASSWORD}'`);
        server.sql("CREATE DATABASE mcp OWNER mcp");
        server.sql(
            "ALTER SCHEMA public OWNER TO mcp; SET ROLE mcp;" +
                "CREATE TABLE tools (id int PRIMARY KEY, name text NOT NULL) WITH (autovacuum_enabled = false);" +
                "CREATE INDEX tools_name ON tools (name);" +
                "CREATE TABLE notes (tool int REFERENCES tools, body text) WITH (autovacuum_enabled = false);" +
                "INSERT INTO tools SELECT n, md5(n::text) FROM generate_series(1, 20000) AS n",
            "mcp",
        );
    });
    after(() => server?.stop());

    const seconds = () => Math.floor(Date.now() / 1000);
    let run = "";
    let runs = 0;
    beforeEach(() => {
        runs += 1;
        run = `2026-12-${runs}`;
    });
    const startStep = (
        script: string,
        secrets: Record<string, string> = {},
        env: Record<string, string> = {},
    ) => {
        folder.supply({
            host: "127.0.0.1",
            port: String(server.port),
            database: "mcp",
            user: "mcp",
            password: PASSWORD,
            ...secrets,
        });
        return folder.start(script, { PGSSLMODE: "prefer", ...env });
    };

    async function maintain(
        secrets: Record<string, string> = {},
        until = seconds() + 3600,
        env: Record<string, string> = {},
    ): Promise<Ended> {
        writeFileSync(folder.handover("until"), `${until}\n`);
        writeFileSync(folder.handover("run"), `${run}\n`);
        const ended = await startStep("database/maintain.sh", secrets, env).ended;
        assert.ok(!ended.output.includes("planted"), `a secret is in: ${ended.output}`);
        assert.ok(!existsSync(folder.handover("pgpass")), "the password is left");
        return ended;
    }

    /** What the run before has done, as the next one finds it. */
    const pending = async (): Promise<[Ended, string[]]> => {
        for (const file of ["skip", "skip-dump", "skip-upload"])
            rmSync(folder.handover(file), { force: true });
        writeFileSync(folder.handover("run"), `${run}\n`);
        const ended = await startStep("database/pending.sh").ended;
        return [ended, readdirSync(folder.handover("")).filter((file) => file.startsWith("skip"))];
    };

    const vacuumed = () =>
        server.sql("SELECT coalesce(sum(vacuum_count), 0) FROM pg_stat_user_tables", "mcp");
    const sizeOf = (relation: string) => Number(server.sql(`SELECT pg_relation_size('${relation}')`, "mcp"));
    const exists = (index: string) => server.sql(`SELECT to_regclass('${index}') IS NOT NULL`, "mcp") === "t";

    it("reports each step, gives back what was bloat, and knows its tables afterwards", async () => {
        server.sql("DELETE FROM tools WHERE id > 200", "mcp");
        const bloated = { table: sizeOf("tools"), index: sizeOf("tools_name") };
        const { status, output } = await maintain();
        assert.equal(status, 0, output);
        assert.match(
            output,
            /^✓ VACUUM \(ANALYZE\)\n✓ REINDEX TABLE CONCURRENTLY public\.notes\n✓ REINDEX TABLE CONCURRENTLY public\.tools\ntools\t\d+ kB\nnotes\t\d+ bytes\n✓ largest tables\n✓ mcp at 127\.0\.0\.1: \d+ kB, before it \d+ MB\n$/,
        );
        assert.ok(sizeOf("tools") < bloated.table / 10, "rows were not given back");
        assert.ok(sizeOf("tools_name") < bloated.index / 10, "the index was not rebuilt");
        assert.equal(server.sql("SELECT reltuples FROM pg_class WHERE relname = 'tools'", "mcp"), "200");
    });

    it("does nothing twice within its window, and all of it in the next", async () => {
        assert.deepEqual(await pending(), [{ status: 0, output: `✓ ${run} begins\n` }, []]);
        // It is killed where it has come to the larger table.
        const reader = await lockTable(server.port, PASSWORD, "tools", "SHARE");
        const before = Number(vacuumed());
        // In the shell's place, so that it is psql that is killed.
        folder.plant("psql", `#!/bin/bash\necho $$ > ${folder.handover("psql")}\nexec /usr/bin/psql "$@"\n`);
        writeFileSync(folder.handover("until"), `${seconds() + 3600}\n`);
        const { ended } = startStep("database/maintain.sh");
        const waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mcp-maintenance' AND query LIKE 'REINDEX%tools' AND wait_event_type = 'Lock'";
        const vacuuming =
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mcp-maintenance' AND query LIKE 'VACUUM%' AND wait_event_type = 'Lock'";
        // VACUUM waits for the lock as well: it is let through first.
        while (server.sql(vacuuming) === "0") await sleep(50);
        reader.stdin.write("ROLLBACK; BEGIN; LOCK TABLE tools IN ACCESS SHARE MODE;\n");
        while (server.sql(waiting) === "0") await sleep(50);
        process.kill(Number(readFileSync(folder.handover("psql"), "utf8")), "SIGKILL");
        assert.equal((await ended).status, 1);
        reader.stdin.end("COMMIT;\n");
        await once(reader, "close");
        rmSync(join(folder.path, "bin", "psql"));
        while (
            server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mcp-maintenance'") !==
            "0"
        ) {
            await sleep(200);
        }

        const [found, skipped] = await pending();
        assert.equal(found.output, `✓ ${run} was interrupted after its dump: it goes on\n`);
        assert.deepEqual(skipped.sort(), ["skip-dump", "skip-upload"]);
        const resumed = await maintain();
        assert.equal(resumed.status, 0, resumed.output);
        assert.ok(!/VACUUM|CONCURRENTLY public\.notes/.test(resumed.output), resumed.output);
        assert.match(resumed.output, /^✓ REINDEX TABLE CONCURRENTLY public\.tools$/m);
        assert.ok(Number(vacuumed()) > before);

        assert.deepEqual(await pending(), [
            { status: 0, output: `✓ ${run} has been finished: nothing to be done\n` },
            ["skip"],
        ]);
        const vacuums = Number(vacuumed());
        run = "2027-01-03";
        assert.deepEqual((await pending())[1], []);
        const next = await maintain();
        assert.match(next.output, /VACUUM[^]*public\.notes[^]*public\.tools/);
        assert.ok(Number(vacuumed()) > vacuums);
    });

    it("leaves the tables of others as they are, and says so", async () => {
        server.sql("CREATE TABLE public.theirs (id int PRIMARY KEY)", "mcp");
        const { status, output } = await maintain();
        server.sql("DROP TABLE public.theirs", "mcp");
        assert.equal(status, 0, output);
        assert.match(output, /^! public\.theirs is somebody else's: its indexes stay as they are$/m);
    });

    it("drops what an interrupted run left behind, and nothing that only looks like it", async () => {
        // A transaction that has a lock on the table keeps REINDEX waiting before it is done.
        const reader = await lockTable(server.port, PASSWORD, "tools", "ACCESS SHARE");
        writeFileSync(folder.handover("until"), `${seconds() + 3600}\n`);
        writeFileSync(folder.handover("run"), `${run}\n`);
        const interrupted = startStep("database/maintain.sh").ended;
        const working =
            "FROM pg_stat_activity WHERE application_name = 'mcp-maintenance' AND query LIKE 'REINDEX%tools' AND wait_event_type = 'Lock'";
        while (server.sql(`SELECT count(*) ${working}`) === "0") await sleep(50);
        server.sql(`SELECT pg_terminate_backend(pid) ${working}`);
        const { status, output } = await interrupted;
        reader.stdin.end("COMMIT;\n");
        await once(reader, "close");
        assert.equal(status, 1);
        assert.match(output, /✗ mcp at 127\.0\.0\.1: REINDEX TABLE CONCURRENTLY public\.tools failed\n$/);
        const left = server
            .sql("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid ORDER BY 1", "mcp")
            .split("\n");
        assert.ok(left.length > 0 && left.every((index) => index.includes("_cc")), left.join());
        server.sql(
            "SET ROLE mcp; CREATE INDEX odd_ccnew ON tools (id, name); CREATE INDEX other ON tools (name)",
            "mcp",
        );
        server.sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'other'::regclass", "mcp");

        const again = await maintain();
        assert.equal(again.status, 0, again.output);
        const mine = left.filter((index) => !index.startsWith("pg_toast."));
        const toast = left.filter((index) => index.startsWith("pg_toast."));
        assert.deepEqual([mine.sort(), toast.length], [["tools_name_ccold", "tools_pkey_ccold"], 1]);
        for (const index of mine) {
            const line = `✓ public.${index}, left by an interrupted REINDEX, dropped\n`;
            assert.ok(again.output.includes(line), again.output);
            assert.ok(!exists(index), index);
        }
        assert.match(
            again.output,
            /^! pg_toast\.\S+_ccold, left by an interrupted REINDEX, stays: .* tools$/m,
        );
        server.sql("SET ROLE mcp; ALTER TABLE tools ALTER name TYPE text USING name || ''", "mcp");
        assert.ok(!exists(toast[0]!));
        assert.ok(exists("odd_ccnew") && exists("other"));
        server.sql("DROP INDEX odd_ccnew, other", "mcp");
    });

    const refused: [what: string, how: () => Promise<Ended>, message: RegExp][] = [
        [
            "without rights, of whom VACUUM would only warn",
            () => maintain({ user: "reader" }),
            /✗ mcp at 127\.0\.0\.1: reader does not own it: nothing was changed\n$/,
        ],
        [
            "with a wrong password",
            () => maintain({ password: "planted-wrong" }),
            /password authentication failed/,
        ],
        ["without a server", async () => maintain({ port: String(await freePort()) }), /Connection refused/],
        [
            "when its window ended during the dump",
            () => maintain({}, seconds() - 1),
            /the time for it is over/,
        ],
        [
            "without TLS if TLS is required",
            () => maintain({}, seconds() + 3600, { PGSSLMODE: "require" }),
            /server does not support SSL/,
        ],
    ];
    for (const [what, how, message] of refused) {
        it(`changes nothing ${what}`, async () => {
            const before = vacuumed();
            const { status, output } = await how();
            assert.equal(status, 1, output);
            assert.match(output, message);
            assert.ok(!output.includes("✓"), output);
            assert.equal(vacuumed(), before);
        });
    }

    it("does not vacuum what could not be dumped", async () => {
        const steps = await stepsOf("kubernetes:batch/v1:Job", "mcp-db-maintenance-chg-1");
        const before = vacuumed();
        const ran: string[] = [];
        for (const { name, command } of steps) {
            ran.push(name);
            if (name === "window") {
                writeFileSync(folder.handover("until"), `${seconds() + 3600}\n`);
                writeFileSync(folder.handover("run"), "chg-1\n");
                continue;
            }
            const script = command.at(-1)!.split("/").at(-1)!;
            const { status } = await startStep(
                script === "upload.sh" ? `backup/${script}` : `database/${script}`,
                {},
                { FILE: "database.dump", TABLES: "audit", MINIMUM_BYTES: "1000" },
            ).ended;
            // The kubelet runs no container after one that failed.
            if (status !== 0) break;
        }
        assert.deepEqual(ran, ["window", "pending", "dump"]);
        assert.equal(vacuumed(), before);
    });

    it("ends in the server too when its pod is killed", async () => {
        const holder = await lockTable(server.port, PASSWORD, "notes", "ACCESS EXCLUSIVE");
        // In the shell's place, so that it is psql that is killed.
        folder.plant("psql", `#!/bin/bash\necho $$ > ${folder.handover("psql")}\nexec /usr/bin/psql "$@"\n`);
        writeFileSync(folder.handover("until"), `${seconds() + 3600}\n`);
        writeFileSync(folder.handover("run"), `${run}\n`);
        const { ended } = startStep("database/maintain.sh");
        const count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mcp-maintenance'";
        while (server.sql(`${count} AND wait_event_type = 'Lock'`) === "0") await sleep(50);
        process.kill(Number(readFileSync(folder.handover("psql"), "utf8")), "SIGKILL");
        assert.equal((await ended).status, 1);
        while (server.sql(count) !== "0") await sleep(200);
        holder.stdin.end("ROLLBACK;\n");
        await once(holder, "close");
    });
});
