import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../support";
import { freePort, lockTable, type Postgres, startPostgres, whyNoPostgres } from "./postgres";
import { type S3, startS3, whyNoS3 } from "./s3";
import { type Ended, StepFolder } from "./steps";

const PASSWORD = String.raw`planted:\backup`;
const BUCKET = "msil-mcp-backups";
const LOCKED = "msil-mcp-backups-locked";

const noPostgres = whyNoPostgres();
const noS3 = whyNoS3();
const suiteOf = (missing: string | undefined) => (missing ? describe.skip : describe);
const because = (missing: string | undefined) => (missing ? ` (skipped: ${missing})` : "");

let folder: StepFolder;
const scratch = (...names: string[]) => join(folder.path, "scratch", ...names);

beforeEach(() => (folder = new StepFolder()));
afterEach(() => folder.remove());

/** A program's own place, past what a test planted. */
const PATH = process.env["PATH"]!;

/** Starts a script as its container would, beside the test, which may have a server to run meanwhile. */
function start(script: string, env: Record<string, string>, limit = "") {
    const command = ["bash", "-c", `${limit} exec bash "$0"`, join(root, "jobs", script)];
    const { child, ended } = folder.command(command, { HOSTNAME: "mcp-dumps-daily-29384850-x7k2p", ...env });
    return { child, ended: ended.then(toldNoSecret) };
}

function toldNoSecret(run: Ended): Ended {
    assert.ok(!run.output.includes("planted"), `a secret is in: ${run.output}`);
    return run;
}

const run = (script: string, env: Record<string, string>, limit?: string) => start(script, env, limit).ended;

let postgres: Postgres;

/** Dumps the database `mcp`, or as a test says otherwise. */
function startDump(
    secrets: Record<string, string> = {},
    env: Record<string, string> = {},
    limit = "",
): ReturnType<typeof start> {
    const secret = {
        host: "127.0.0.1",
        port: String(postgres.port),
        database: "mcp",
        user: "mcp",
        password: PASSWORD,
        ...secrets,
    };
    folder.supply(secret);
    const told = {
        FILE: "database.dump",
        TABLES: "tools",
        MINIMUM_BYTES: "2000",
        PGSSLMODE: "prefer",
        ...env,
    };
    return start("database/dump.sh", told, limit);
}
const dump = (...args: Parameters<typeof startDump>) => startDump(...args).ended;

/** Neither a dump, nor a part of one, nor the password is left. */
function assertNothingLeft(): void {
    assert.deepEqual(readdirSync(scratch()), []);
    assert.deepEqual(readdirSync(folder.handover("")), []);
}

suiteOf(noPostgres)(`a dump of a real PostgreSQL${because(noPostgres)}`, () => {
    before(async () => {
        postgres = await startPostgres("planted-administrator");
        postgres.sql(`CREATE ROLE mcp LOGIN PASSWORD '${PASSWORD}'`);
        for (const database of ["mcp", "blank"]) {
            postgres.sql(`CREATE DATABASE ${database} OWNER mcp`);
        }
        postgres.sql(
            "SET ROLE mcp; CREATE TABLE tools (id int PRIMARY KEY, name text NOT NULL);" +
                "INSERT INTO tools SELECT n, md5(n::text) FROM generate_series(1, 2000) AS n;" +
                "CREATE TABLE notes (tool int REFERENCES tools); INSERT INTO notes VALUES (7)",
            "mcp",
        );
        postgres.sql("CREATE DATABASE parts OWNER mcp");
        postgres.sql(
            "SET ROLE mcp; CREATE TABLE events (at date) PARTITION BY RANGE (at);" +
                "CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');" +
                "INSERT INTO events SELECT date '2026-01-01' + n % 300 FROM generate_series(1, 2000) AS n;" +
                "CREATE VIEW audit AS SELECT at FROM events",
            "parts",
        );
    });
    after(() => postgres?.stop());

    it("is whole, has its checksum beside it, and leaves no password", async () => {
        const { status, output } = await dump();
        assert.equal(status, 0, output);
        const content = readFileSync(scratch("database.dump"));
        const sha256 = createHash("sha256").update(content).digest("hex");
        assert.equal(readFileSync(scratch("database.dump.sha256"), "utf8"), `${sha256}  database.dump\n`);
        assert.equal(output, `✓ mcp at 127.0.0.1: 2 tables in ${content.length} bytes, sha256 ${sha256}\n`);
        assert.deepEqual(readdirSync(scratch()).sort(), ["database.dump", "database.dump.sha256"]);
        assert.deepEqual(readdirSync(folder.handover("")), []);
    });

    it("has a table whose data is in its partitions", async () => {
        const { status, output } = await dump({ database: "parts" }, { TABLES: "events events_2026" });
        assert.equal(status, 0, output);
    });

    const refused: [what: string, how: () => Promise<Ended>, message: RegExp][] = [
        [
            "a wrong password",
            () => dump({ password: "planted-wrong" }),
            /password authentication failed for user "mcp"/,
        ],
        ["a server that is away", async () => dump({ port: String(await freePort()) }), /Connection refused/],
        [
            "a database without tables",
            () => dump({ database: "blank" }),
            /✗ the dump of blank at 127\.0\.0\.1 holds no table: there is nothing to save yet/,
        ],
        [
            "a table that is missing",
            () => dump({}, { TABLES: "tools audit" }),
            /✗ the dump of mcp at 127\.0\.0\.1 lacks the table audit/,
        ],
        [
            "a view in the place of a table",
            () => dump({ database: "parts" }, { TABLES: "audit" }),
            /✗ the dump of parts at 127\.0\.0\.1 lacks the table audit/,
        ],
        [
            "a disk that is full by the time of the checksum",
            () => {
                symlinkSync("/dev/full", scratch("database.dump.sha256"));
                return dump();
            },
            /No space left on device/,
        ],
        [
            "a dump that is too small",
            () => dump({}, { MINIMUM_BYTES: "1000000" }),
            /✗ the dump of mcp at 127\.0\.0\.1 has \d+ bytes, expected at least 1000000/,
        ],
        [
            "a disk that is full",
            () => {
                symlinkSync("/dev/full", scratch("database.dump.partial"));
                return dump();
            },
            /No space left on device/,
        ],
        ["a file that may not grow", () => dump({}, {}, "ulimit -f 8;"), /./],
        [
            // Neither its status nor the archive's table of contents tells.
            "an archive that was cut off",
            () => {
                folder.plant(
                    "pg_dump",
                    `#!/bin/bash\nPATH=${PATH} pg_dump "$@" && truncate --size=-4000 "$FILE.partial"\n`,
                );
                return dump();
            },
            /pg_restore: error/,
        ],
    ];
    for (const [what, how, message] of refused) {
        it(`fails over ${what}, and leaves nothing half-written`, async () => {
            const { status, output } = await how();
            assert.notEqual(status, 0, output);
            assert.match(output, message);
            assertNothingLeft();
        });
    }

    it("fails when it is ended half-way, and leaves nothing half-written", async () => {
        const lock = await lockTable(postgres.port, PASSWORD, "notes", "ACCESS EXCLUSIVE");
        const { ended } = startDump();
        const waiting = "application_name = 'mcp-dump' AND wait_event_type = 'Lock'";
        while (postgres.sql(`SELECT count(*) FROM pg_stat_activity WHERE ${waiting}`) === "0") {
            await sleep(50);
        }
        postgres.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${waiting}`);
        const { status, output } = await ended;
        lock.stdin.end();
        assert.notEqual(status, 0);
        assert.match(output, /terminating connection|server closed the connection/);
        assertNothingLeft();
    });

    suiteOf(noS3)(`that is uploaded${because(noS3)}`, function () {
        this.timeout(180_000);
        let s3: S3;
        before(async () => {
            s3 = await startS3(BUCKET);
        });
        after(() => s3?.stop());

        it("is restored to the same rows from what is in the bucket", async () => {
            assert.equal((await dump()).status, 0);
            const { status, output } = await run("backup/upload.sh", {
                ...s3.env,
                BUCKET,
                KIND: "daily",
                LABEL: "mcp-production",
                FILE: "database.dump",
            });
            assert.equal(status, 0, output);
            const [key] = await s3.keys();
            const fetched = await (await s3.ask(`/${BUCKET}/${key}`)).arrayBuffer();
            writeFileSync(join(folder.path, "fetched.dump"), Buffer.from(fetched));
            postgres.sql("CREATE DATABASE restored OWNER mcp");
            const restored = spawn(
                "pg_restore",
                [
                    ...["-h", "127.0.0.1", "-p", String(postgres.port), "-U", "mcp", "-d", "restored"],
                    ...["--exit-on-error", join(folder.path, "fetched.dump")],
                ],
                { env: { PATH, PGPASSWORD: PASSWORD }, stdio: "inherit" },
            );
            assert.equal(await new Promise((resolve) => restored.once("close", resolve)), 0);
            for (const table of ["tools", "notes"]) {
                const rows = `SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM ${table} AS t`;
                assert.equal(postgres.sql(rows, "restored"), postgres.sql(rows, "mcp"));
            }
        });
    });
});

suiteOf(noS3)(`an upload to S3${because(noS3)}`, function () {
    // The AWS command line alone takes seconds to start on a busy machine.
    this.timeout(180_000);
    let s3: S3;
    before(async () => {
        s3 = await startS3(BUCKET);
    });
    after(() => s3?.stop());
    beforeEach(() => s3.reset());

    /** Leaves a file as the step before does. */
    function leave(size: number): { content: Buffer; sha256: string } {
        const content = randomBytes(size);
        const sha256 = createHash("sha256").update(content).digest("hex");
        writeFileSync(scratch("database.dump"), content);
        writeFileSync(scratch("database.dump.sha256"), `${sha256}  database.dump\n`);
        return { content, sha256 };
    }

    const startUpload = (env: Record<string, string> = {}) =>
        start("backup/upload.sh", {
            ...s3.env,
            BUCKET,
            KIND: "daily",
            LABEL: "mcp-production",
            FILE: "database.dump",
            PART_MEBIBYTES: "5",
            ...env,
        });
    const upload = (env?: Record<string, string>) => startUpload(env).ended;

    for (const [what, size] of Object.entries({ "in one piece": 1000, "in parts": 12 * 1024 * 1024 })) {
        it(`is stored complete ${what}, under a unique name, with its checksum`, async () => {
            const { sha256 } = leave(size);
            const began = Date.now();
            const { status, output } = await upload();
            assert.equal(status, 0, output);
            const [key, ...others] = await s3.keys();
            assert.deepEqual(others, []);
            const [, date] = /^daily\/(\d{8}T\d{6}Z)-mcp-production-x7k2p\.dump$/.exec(key!)!;
            const time = Date.parse(date!.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
            assert.ok(time >= began - 1000 && time <= Date.now(), key);
            assert.ok(output.endsWith(`✓ s3://${BUCKET}/${key}: ${size} bytes, sha256 ${sha256}\n`), output);
            const stored = await s3.ask(`/${BUCKET}/${key}`);
            assert.equal(stored.headers.get("x-amz-meta-sha256"), sha256);
            const fetched = createHash("sha256").update(Buffer.from(await stored.arrayBuffer()));
            assert.equal(fetched.digest("hex"), sha256);
            assert.equal(await s3.unfinished(), 0);
        });
    }

    it("is locked for as long as it is kept, where the bucket locks everything for less", async () => {
        await s3.ask(`/${LOCKED}`, {
            method: "PUT",
            headers: { "x-amz-bucket-object-lock-enabled": "true" },
        });
        leave(1000);
        const env = { BUCKET: LOCKED, KIND: "weekly", LOCK_MODE: "GOVERNANCE", LOCK_DAYS: "365" };
        const { status, output } = await upload(env);
        assert.equal(status, 0, output);
        const [, key, time] = /s3:\/\/[^/]+\/(\S+): .*, locked until (\S+)\n$/.exec(output)!;
        const days = (Date.parse(time!) - Date.now()) / 86_400_000;
        assert.ok(days > 364.9 && days <= 365, time);
        const { headers } = await s3.ask(`/${LOCKED}/${key}`);
        assert.equal(headers.get("x-amz-object-lock-mode"), "GOVERNANCE");
        assert.equal(Date.parse(headers.get("x-amz-object-lock-retain-until-date")!), Date.parse(time!));
    });

    it("fails when it cannot be locked", async () => {
        leave(1000);
        s3.intervene = (_method, url) =>
            url.includes("?retention")
                ? { status: 403, body: "<Error><Code>AccessDenied</Code></Error>" }
                : undefined;
        const { status, output } = await upload({ LOCK_MODE: "GOVERNANCE", LOCK_DAYS: "90" });
        assert.notEqual(status, 0);
        assert.match(output, /✗ s3:\/\/\S+ was not locked until /);
    });

    /** The metrics that CloudWatch has of the platform. */
    async function reported(): Promise<unknown> {
        const listed = spawn(
            "aws",
            ["cloudwatch", "list-metrics", "--namespace", "MCP/production", "--output", "json"],
            {
                env: { ...process.env, ...s3.env },
                stdio: ["ignore", "pipe", "inherit"],
            },
        );
        let metrics = "";
        for await (const chunk of listed.stdout.setEncoding("utf8")) metrics += chunk as string;
        return JSON.parse(metrics).Metrics;
    }

    it("is reported as a heartbeat of its kind", async () => {
        leave(1000);
        const { status, output } = await upload({ METRICS: "MCP/production" });
        assert.equal(status, 0, output);
        assert.deepEqual(await reported(), [
            {
                Namespace: "MCP/production",
                MetricName: "DumpSucceeded",
                Dimensions: [{ Name: "Kind", Value: "daily" }],
            },
        ]);
    });

    it("has its like in the heartbeat of any task that came to its end", async () => {
        const report = () =>
            start("succeeded.sh", { ...s3.env, METRICS: "MCP/production", TASK: "mcp-upgrade-check" }).ended;
        assert.deepEqual(await report(), { status: 0, output: "✓ mcp-upgrade-check has come to its end\n" });
        assert.deepEqual(await reported(), [
            {
                Namespace: "MCP/production",
                MetricName: "TaskSucceeded",
                Dimensions: [{ Name: "Task", Value: "mcp-upgrade-check" }],
            },
        ]);
        s3.intervene = (method) => (method === "POST" ? denied : undefined);
        const { status, output } = await report();
        assert.notEqual(status, 0);
        assert.match(output, /AccessDenied/);
    });

    it("sends no heartbeat without an expected next run", async () => {
        leave(1000);
        assert.equal((await upload({ KIND: "manual", LABEL: "CHG-1041" })).status, 0);
        assert.deepEqual(
            s3.requests.filter((line) => !line.includes(`/${BUCKET}/`)),
            [],
        );
        assert.match((await s3.keys())[0]!, /^manual\/\d{8}T\d{6}Z-CHG-1041-x7k2p\.dump$/);
    });

    it("fails over a file that changed since its checksum was taken, before it is sent", async () => {
        leave(1000);
        truncateSync(scratch("database.dump"), 999);
        const { status, output } = await upload();
        assert.notEqual(status, 0);
        assert.match(output, /database\.dump: FAILED/);
        assert.deepEqual(s3.requests, []);
    });

    const denied = {
        status: 403,
        body: "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
    };

    it("fails when the bucket refuses it", async () => {
        leave(1000);
        s3.intervene = (method) => (method === "PUT" ? denied : undefined);
        const { status, output } = await upload({ METRICS: "MCP/production" });
        assert.equal(status, 1);
        assert.match(output, /AccessDenied/);
        assert.match(output, /✗ s3:\/\/msil-mcp-backups\/daily\/\S+ was not uploaded\n$/);
        assert.deepEqual(await s3.keys(), []);
        assert.ok(!s3.requests.some((line) => line.startsWith("POST /")), "a failed upload was reported");
    });

    it("gives up the parts it has sent when the bucket refuses the next", async () => {
        leave(12 * 1024 * 1024);
        s3.intervene = (method, url) =>
            method === "PUT" && url.includes("partNumber=3") ? denied : undefined;
        const { status, output } = await upload();
        assert.equal(status, 1, output);
        assert.ok(s3.requests.some((line) => /^DELETE .*uploadId=/.test(line)));
        assert.deepEqual([await s3.keys(), await s3.unfinished()], [[], 0]);
    });

    it("gives up the parts it has sent when it is stopped", async () => {
        leave(12 * 1024 * 1024);
        let goOn = () => {};
        const reached = new Promise<void>((resolve) => {
            s3.intervene = (method, url) =>
                method === "PUT" && url.includes("partNumber=3")
                    ? new Promise((pass) => {
                          goOn = () => pass(undefined);
                          resolve();
                      })
                    : undefined;
        });
        const { child, ended } = startUpload();
        await reached;
        child.kill("SIGTERM");
        // The command line waits for the part that is on its way, and then takes all of them back.
        await new Promise<void>((resolve) =>
            child.stdout.on("data", (chunk) => String(chunk).startsWith("stopping") && resolve()),
        );
        goOn();
        const { status, output } = await ended;
        assert.equal(status, 1, output);
        assert.match(output, /was not uploaded: stopped\n$/);
        assert.deepEqual([await s3.keys(), await s3.unfinished()], [[], 0]);
    });

    it("is not believed when what came there has another size or checksum", async () => {
        for (const [header, value, message] of [
            ["content-length", "999", /has 999 bytes, expected 1000: do not rely on it/],
            ["x-amz-checksum-sha256", "AAAA", /has the checksum AAAA, expected \S+: do not rely on it/],
        ] as const) {
            leave(1000);
            s3.alter = (method, headers) => {
                if (method === "HEAD") {
                    headers[header] = value;
                }
            };
            const { status, output } = await upload({ METRICS: "MCP/production" });
            assert.equal(status, 1, output);
            assert.match(output, message);
            assert.ok(!s3.requests.some((line) => line.startsWith("POST /")), "it was reported");
        }
    });

    it("says so when the heartbeat is refused", async () => {
        leave(1000);
        s3.intervene = (method) => (method === "POST" ? denied : undefined);
        const { status, output } = await upload({ METRICS: "MCP/production" });
        assert.notEqual(status, 0);
        assert.match(output, /✓ s3:[^]*AccessDenied/);
        assert.equal((await s3.keys()).length, 1);
    });
});
