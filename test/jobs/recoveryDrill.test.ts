import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { scramVerifier } from "../../components/data/scram";
import { type Postgres, postgresFolder, startPostgres, whyNoPostgres } from "./postgres";
import { type Ended, StepFolder } from "./steps";

const missing = whyNoPostgres();
const suite = missing ? describe.skip : describe;

const ADMINISTRATOR_PASSWORD = "planted-administrator";
const PASSWORD = "plantedApplication1234567890123456789012";
const SALT = Buffer.from("0123456789abcdef");
const PRIMARY = "mcp-production";
const RECOVERED = "mcp-recovery";

/** Rows that the application writes at least: before the mistake, after it, and after the switch. */
const WRITTEN = 200;

/** The application: one row a transaction, without pause. */
class Writer {
    private readonly session: ChildProcess;
    private writing = true;
    private readonly done: Promise<unknown>;

    constructor(port: number) {
        const args = ["-h", "127.0.0.1", "-p", String(port), "-U", "mcp", "-d", "mcp", "-Xq"];
        this.session = spawn("psql", args, {
            env: { ...process.env, PGPASSWORD: PASSWORD },
            stdio: ["pipe", "ignore", "inherit"],
        });
        this.done = new Promise((resolve) => this.session.once("close", resolve));
        // A server that is stopped ends the session.
        this.session.stdin!.on("error", () => (this.writing = false));
        void this.write();
    }

    private async write(): Promise<void> {
        for (let row = 0; this.writing; row += 1) {
            this.session.stdin!.write(`INSERT INTO writes (value) VALUES ('${row}');\n`);
            await sleep(2);
        }
        this.session.stdin!.end();
    }

    async stop(): Promise<void> {
        this.writing = false;
        await this.done;
    }
}

/*
 * RDS is played by two servers of PostgreSQL: a base backup and the archived log of the first become the second, at a time
 * that is given. The scripts are those of the recovery's own Jobs.
 */
suite(`a drill of point-in-time recovery${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(180_000);
    let primary: Postgres;
    let recovered: Postgres;
    let folder: StepFolder;
    /** When the mistake is made, as PostgreSQL writes it. */
    let time: string;
    const writers: Writer[] = [];

    const run = async (name: string, env: Record<string, string>): Promise<Ended> => {
        const { ended } = folder.start(`database/${name}`, {
            PGPORT: String(recovered.port),
            PGHOST: "127.0.0.1",
            PGSSLMODE: "prefer",
            PGDATABASE: "mcp",
            PGUSER: "mcp",
            ...env,
        });
        const result = await ended;
        assert.ok(!result.output.includes("planted"), result.output);
        return result;
    };
    const compare = () =>
        run("compare.sh", {
            PRIMARY,
            PRIMARY_HOST: "127.0.0.1",
            PRIMARY_PORT: String(primary.port),
            RECOVERED,
            RECOVERED_HOST: "127.0.0.1",
            RECOVERED_PORT: String(recovered.port),
            ROWS: "500000",
        });
    const bootstrap = async (server: Postgres) => {
        writeFileSync(folder.handover("administrator.json"), JSON.stringify(server.administrator));
        const env = { PGPORT: String(server.port), DATABASE: "mcp", USERS: "mcp\tLOGIN\t" };
        const { ended } = folder.start("database/bootstrap.sh", {
            PGHOST: "127.0.0.1",
            PGSSLMODE: "prefer",
            ...env,
        });
        const { status, output } = await ended;
        assert.equal(status, 0, output);
    };
    const write = (server: Postgres) => {
        const writer = new Writer(server.port);
        writers.push(writer);
        return writer;
    };
    const count = (server: Postgres, query: string) =>
        Number(server.sql(`SELECT count(*) FROM ${query}`, "mcp"));
    /** Waits until the application has written so many rows. */
    const written = async (server: Postgres, rows: number) => {
        while (count(server, "writes") < rows) {
            await sleep(100);
        }
    };
    /** Rows of the first server by when they were committed. */
    const committed = (when: string) =>
        count(primary, `writes WHERE pg_xact_commit_timestamp(xmin) ${when} '${time}'`);

    before(async () => {
        folder = new StepFolder();
        folder.supply({ "mcp/verifier": scramVerifier(PASSWORD, SALT), password: PASSWORD });
        const archive = postgresFolder();
        primary = await startPostgres(ADMINISTRATOR_PASSWORD, {
            settings: {
                archive_mode: "on",
                archive_command: `cp %p ${archive}/%f`,
                track_commit_timestamp: "on",
                log_statement: "none",
            },
        });
        await bootstrap(primary);
        const application = (statement: string) => primary.sql(`SET ROLE mcp; ${statement}`, "mcp");
        application("CREATE TABLE tools (id int PRIMARY KEY, name text)");
        application("INSERT INTO tools SELECT n, 'tool ' || n FROM generate_series(1, 200) AS n");
        application("CREATE TABLE writes (id bigserial PRIMARY KEY, value text)");
        const backup = primary.backUp();
        const writer = write(primary);
        await written(primary, WRITTEN);
        time = primary.sql("SELECT clock_timestamp()");
        // The mistake, among writes that must not be lost.
        application("DELETE FROM tools WHERE id > 10; UPDATE tools SET name = 'spoilt' WHERE id = 1");
        await written(primary, count(primary, "writes") + WRITTEN);
        primary.sql("SELECT pg_switch_wal()");
        const last = primary.sql("SELECT pg_walfile_name(pg_current_wal_lsn())");
        primary.sql("CHECKPOINT");
        primary.sql("SELECT pg_switch_wal()");
        for (let attempt = 0; !isArchived(primary, last); attempt += 1) {
            assert.ok(attempt < 200, primary.log());
            await sleep(50);
        }
        recovered = await startPostgres(ADMINISTRATOR_PASSWORD, { restore: { backup, archive, time } });
        for (let attempt = 0; recovered.sql("SELECT pg_is_in_recovery()") === "t"; attempt += 1) {
            assert.ok(attempt < 200, recovered.log());
            await sleep(50);
        }
        // The services go on with the first one, as in a recovery.
        assert.equal(writers[0], writer);
    });
    after(async () => {
        await Promise.all(writers.map((each) => each.stop()));
        await primary?.stop();
        await recovered?.stop();
        folder.remove();
    });

    it("restores every row before the time and none after it, and the switch is by the procedure's own scripts", async () => {
        await bootstrap(recovered);
        const { status, output } = await run("verify.sh", {
            CHECKS: "200\tSELECT count(*) FROM tools\n0\tSELECT count(*) FROM tools WHERE name = 'spoilt'\n1\tSELECT count(*) FROM writes",
        });
        assert.equal(status, 0, output);
        const before = committed("<=");
        assert.ok(before >= WRITTEN, String(before));
        assert.equal(count(recovered, "writes"), before, "rows lost before the time");

        const first = await compare();
        assert.equal(first.status, 0, first.output);
        assert.match(
            first.output,
            /tools: 10 rows on mcp-production, 200 on mcp-recovery; only on mcp-production 1, only on mcp-recovery 191/,
        );

        // The switch: the application leaves the one, and writes to the other.
        await writers[0]!.stop();
        const after = committed(">");
        assert.ok(after >= WRITTEN, String(after));
        const second = await compare();
        assert.equal(second.status, 0, second.output);
        const lost = after + 1;
        assert.ok(
            second.output.includes(
                `with ${RECOVERED} the services lose ${lost} rows, which are on ${PRIMARY} alone`,
            ),
            `${lost} lost, of which ${after} were written and 1 was spoilt:\n${second.output}`,
        );
        const writer = write(recovered);
        await written(recovered, before + WRITTEN);
        await writer.stop();
        const since = count(recovered, "writes") - before;

        // The way back would lose what was written since, and what the mistake had taken.
        const third = await compare();
        assert.ok(
            third.output.includes(
                `with ${PRIMARY} the services lose ${since + 191} rows, which are on ${RECOVERED} alone`,
            ),
            third.output,
        );
        console.log(
            `      restored to ${time}: 0 of ${before} rows lost before it, ${after} of ${after} rows lost after it`,
        );
    });

    it("says that what was written is not counted where the first database is gone", async () => {
        await primary.stop();
        const { status, output } = await compare();
        assert.equal(status, 0, output);
        assert.match(
            output,
            /^– mcp-production cannot be asked: .*\n– what was written to mcp-production after the restore time is lost/,
        );
    });

    it("fails where the restored database is gone", async () => {
        await recovered.stop();
        const { status, output } = await compare();
        assert.equal(status, 1);
        assert.match(output, /^✗ mcp-recovery cannot be asked: /);
    });
});

/** Whether a file of the log has come to the archive, and all before it. */
function isArchived(server: Postgres, file: string): boolean {
    return server.sql("SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver") >= file;
}
