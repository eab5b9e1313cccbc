import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { scramVerifier } from "../../components/data/scram";
import { root } from "../support";
import { freePort, type Postgres, startPostgres, whyNoPostgres } from "./postgres";

const missing = whyNoPostgres();
const suite = missing ? describe.skip : describe;

// With the characters that files of passwords and JSON give a meaning to.
const ADMINISTRATOR_PASSWORD = String.raw`planted:\admin{$(id)}'"`;
const PASSWORD = "plantedApplication1234567890123456789012";
const SALT = Buffer.from("0123456789abcdef");

suite(`the database's tasks on a real PostgreSQL${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(60_000);
    let server: Postgres;
    let folder: string;

    before(async () => {
        server = await startPostgres(ADMINISTRATOR_PASSWORD);
    });
    after(() => server?.stop());
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "mcp-task-"));
        for (const name of ["handover", "secrets", "bin"]) {
            mkdirSync(join(folder, name));
        }
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    /** Runs a script as its container would, and checks that no secret is printed. */
    function run(script: string, env: Record<string, string>, secrets: Record<string, string> = {}) {
        for (const [key, value] of Object.entries(secrets)) {
            const file = join(folder, "secrets", key);
            mkdirSync(dirname(file), { recursive: true });
            writeFileSync(file, value);
        }
        const { status, stdout, stderr } = spawnSync("bash", [join(root, "jobs", "database", script)], {
            encoding: "utf8",
            env: {
                PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter),
                HOME: folder,
                HANDOVER: join(folder, "handover"),
                SECRETS: join(folder, "secrets"),
                PGHOST: "127.0.0.1",
                PGPORT: String(server.port),
                PGSSLMODE: "prefer",
                ...env,
            },
        });
        const output = stdout + stderr;
        assert.ok(!output.includes("planted"), `a secret is in: ${output}`);
        assert.ok(!output.includes(SALT.toString("base64")), `the verifier is in: ${output}`);
        return { status, output };
    }

    function bootstrap(
        password: string,
        env: Record<string, string> = {},
        administrator: object = server.administrator,
    ) {
        writeFileSync(join(folder, "handover", "administrator.json"), JSON.stringify(administrator));
        return run(
            "bootstrap.sh",
            { DATABASE: "mcp", USERS: "mcp\tLOGIN\t", ...env },
            { "mcp/verifier": scramVerifier(password, SALT) },
        );
    }

    /** What the application gets for a query with a password. */
    function asApplication(query: string, password = PASSWORD) {
        return spawnSync(
            "psql",
            ["-h", "127.0.0.1", "-p", String(server.port), "-U", "mcp", "-d", "mcp", "-XAtqc", query],
            { encoding: "utf8", env: { ...process.env, PGPASSWORD: password } },
        );
    }

    const verify = (checks: string, env: Record<string, string> = {}, password = PASSWORD) =>
        run("verify.sh", { PGDATABASE: "mcp", PGUSER: "mcp", CHECKS: checks, ...env }, { password });

    it("makes the application's user, its database and pg_stat_statements out of nothing", () => {
        const { status, output } = bootstrap(PASSWORD);
        assert.equal(status, 0, output);
        const made = asApplication(
            "CREATE TABLE tools (name text); INSERT INTO tools VALUES ('a'), ('b'), ('c')",
        );
        assert.equal(made.status, 0, made.stderr);
        assert.equal(
            asApplication("SELECT count(*) > 0 FROM pg_stat_statements WHERE query IS NOT NULL").stdout,
            "t\n",
        );
        assert.equal(
            asApplication("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = 'mcp'").stdout,
            "f\n",
        );
    });

    it("never shows the server a password", () => {
        assert.ok(server.log().includes("ALTER ROLE"));
        assert.ok(!server.log().includes(PASSWORD));
    });

    it("changes nothing when it is run again", () => {
        const { status, output } = bootstrap(PASSWORD);
        assert.equal(status, 0, output);
        assert.equal(asApplication("SELECT count(*) FROM tools").stdout, "3\n");
    });

    it("sets another password, as after a recovery", () => {
        const other = PASSWORD.replace("1", "2");
        assert.equal(bootstrap(other).status, 0);
        assert.notEqual(asApplication("SELECT 1").status, 0);
        assert.equal(asApplication("SELECT 1", other).status, 0);
        assert.equal(bootstrap(PASSWORD).status, 0);
    });

    it("fails when the administrator's password is wrong, when the server is away, and without a verifier", async () => {
        const wrong = bootstrap(PASSWORD, {}, { username: "mcp_admin", password: "planted-wrong" });
        assert.notEqual(wrong.status, 0);
        assert.match(wrong.output, /password authentication failed/);
        const away = bootstrap(PASSWORD, { PGPORT: String(await freePort()) });
        assert.notEqual(away.status, 0);
        assert.match(away.output, /Connection refused/);
        rmSync(join(folder, "secrets", "mcp", "verifier"));
        writeFileSync(join(folder, "handover", "administrator.json"), JSON.stringify(server.administrator));
        const bare = run("bootstrap.sh", { DATABASE: "mcp", USERS: "mcp\tLOGIN\t" });
        assert.notEqual(bare.status, 0, bare.output);
        assert.equal(asApplication("SELECT 1").status, 0, "the password was lost");
    });

    for (const users of ["mcp_admin\tLOGIN\t", "mcp\tLOGIN\t\nmcp_admin\tLOGIN\t"]) {
        it(`refuses the administrator as a user of the services: ${JSON.stringify(users)}`, () => {
            mkdirSync(join(folder, "secrets", "mcp_admin"));
            writeFileSync(join(folder, "secrets", "mcp_admin", "verifier"), scramVerifier(PASSWORD, SALT));
            const { status, output } = bootstrap(PASSWORD, { USERS: users });
            assert.equal(status, 1, output);
            assert.match(output, /✗ mcp_admin is the database's administrator, .* Nothing was changed/);
            assert.equal(bootstrap(PASSWORD).status, 0, "the administrator lost its password");
        });
    }

    it("verifies what is whole", () => {
        const { status, output } = verify(
            "3\tSELECT COUNT(*) FROM tools\n0\tSELECT COUNT(*) FROM tools WHERE false",
        );
        assert.equal(status, 0, output);
        assert.equal(
            output,
            "✓ SELECT COUNT(*) FROM tools: 3\n✓ SELECT COUNT(*) FROM tools WHERE false: 0\n",
        );
    });

    it("reports every check that fails: too few, no such table, no number", () => {
        const { status, output } = verify(
            [
                "4\tSELECT COUNT(*) FROM tools",
                "1\tSELECT COUNT(*) FROM nothing",
                "1\tSELECT 'x'",
                "1\tSELECT 1",
            ].join("\n"),
        );
        assert.equal(status, 1);
        assert.match(output, /✗ SELECT COUNT\(\*\) FROM tools: found 3, expected at least 4/);
        assert.match(output, /✗ SELECT COUNT\(\*\) FROM nothing: .*does not exist/);
        assert.match(output, /✗ SELECT 'x': gave no whole number/);
        assert.match(output, /✓ SELECT 1: 1/);
    });

    describe("the settings of a restored instance", () => {
        const EXPECTED = "BackupRetentionPeriod\t35\nPreferredBackupWindow\t23:30-00:30\nMultiAZ\ttrue";
        /** The command line of AWS, as far as it describes an instance. */
        const plant = (backupWindow: string) => {
            const path = join(folder, "bin", "aws");
            writeFileSync(
                path,
                `#!/bin/sh
case "$*" in
    *BackupRetentionPeriod*) echo 35 ;;
    *PreferredBackupWindow*) echo ${backupWindow} ;;
    *MultiAZ*) echo True ;;
    *) exit 1 ;;
esac
`,
            );
            chmodSync(path, 0o755);
        };
        const look = () => run("settings.sh", { INSTANCE: "mcp-recovery", EXPECTED, ATTEMPTS: "1" });

        it("are those that are declared", () => {
            plant("23:30-00:30");
            const { status, output } = look();
            assert.equal(status, 0, output);
            assert.match(output, /^✓ mcp-recovery has its windows/);
        });

        it("fail the update while the instance waits for a restart, which no update makes", () => {
            const path = join(folder, "bin", "aws");
            writeFileSync(path, "#!/bin/sh\necho pending-reboot\n");
            chmodSync(path, 0o755);
            const { status, output } = run("settings.sh", {
                INSTANCE: "mcp-recovery",
                EXPECTED: "DBParameterGroups[0].ParameterApplyStatus\tin-sync",
                ATTEMPTS: "1",
            });
            assert.equal(status, 1);
            assert.equal(
                output,
                "✗ mcp-recovery: DBParameterGroups[0].ParameterApplyStatus is pending-reboot, expected in-sync\n" +
                    "✗ mcp-recovery waits for a restart: aws rds reboot-db-instance --db-instance-identifier mcp-recovery; " +
                    "then run the update once more\n",
            );
        });

        it("fail the update where the second one has not set them", () => {
            plant("03:00-03:30");
            const { status, output } = look();
            assert.equal(status, 1);
            assert.equal(
                output,
                "✗ mcp-recovery: PreferredBackupWindow is 03:00-03:30, expected 23:30-00:30\n" +
                    "✗ run the update once more: it sets what RDS did not restore\n",
            );
        });
    });

    it("does not verify with a wrong password", () => {
        const { status, output } = verify("1\tSELECT 1", {}, "planted-wrong");
        assert.equal(status, 1);
        assert.match(output, /password authentication failed/);
    });

    it("fetches the administrator's secret and fails as the AWS command line does", () => {
        const aws = join(folder, "bin", "aws");
        const answer = JSON.stringify({ username: "mcp_admin", password: "planted-x" });
        writeFileSync(aws, `#!/bin/sh\necho "$@" > "${folder}/asked"\nprintf '%s\\n' '${answer}'\n`);
        chmodSync(aws, 0o755);
        assert.equal(run("administrator.sh", { ADMINISTRATOR_ARN: "arn:of:the:secret" }).status, 0);
        assert.equal(readFileSync(join(folder, "handover", "administrator.json"), "utf8").trim(), answer);
        assert.match(
            readFileSync(join(folder, "asked"), "utf8"),
            /^secretsmanager get-secret-value --secret-id arn:of:the:secret /,
        );
        writeFileSync(aws, "#!/bin/sh\necho 'AccessDeniedException' >&2\nexit 254\n");
        const refused = run("administrator.sh", { ADMINISTRATOR_ARN: "arn:of:the:secret" });
        assert.equal(refused.status, 254);
        assert.match(refused.output, /AccessDenied/);
    });

    /** A connection that does nothing, until it is killed. */
    async function idleConnection() {
        const client = spawn(
            "psql",
            [
                ["-h", "127.0.0.1", "-p", String(server.port), "-U", "mcp", "-d", "mcp"],
                ["-Xc", "SELECT 1", "-f", "-"],
            ].flat(),
            {
                env: { ...process.env, PGPASSWORD: PASSWORD, PGAPPNAME: "leaking" },
                stdio: ["pipe", "pipe", "ignore"],
            },
        );
        await once(client.stdout, "data");
        return client;
    }

    /** The Secret that leads to the active database. */
    const application = (password: string) => ({
        host: "127.0.0.1",
        port: String(server.port),
        user: "mcp",
        database: "mcp",
        password,
    });

    describe("asked for its health", () => {
        const env = { READY: "ready", IDLE: "idle" };
        const count = (password = PASSWORD, port = server.port) =>
            run("health.sh", env, { ...application(password), port: String(port) });
        const file = (name = "idle") => join(folder, "handover", name);

        it("hands on what pg_isready says and how long it took, and never fails", async () => {
            assert.equal(count("planted-wrong").status, 0);
            assert.match(readFileSync(file("ready"), "utf8"), /^0 \d+ accepting connections\n$/);
            const { status, output } = count(PASSWORD, await freePort());
            assert.equal(status, 0, output);
            assert.match(readFileSync(file("ready"), "utf8"), /^2 \d+ no response\n$/);
        });

        it("counts those that do nothing", async () => {
            const idle = await Promise.all([idleConnection(), idleConnection()]);
            const { status, output } = count();
            for (const client of idle) client.kill();
            assert.equal(status, 0, output);
            assert.equal(readFileSync(file(), "utf8"), "2\n");
            assert.match(output, /✓ 2 connections are idle/);
            assert.equal(existsSync(join(folder, "handover", "pgpass")), false);
        });

        it("ends well without a count when the database refuses it", () => {
            const { status, output } = count("planted-wrong");
            assert.equal(status, 0);
            assert.match(output, /password authentication failed/);
            assert.equal(existsSync(file()), false);
        });
    });

    describe("diagnosed", () => {
        const diagnose = (password = PASSWORD) => run("diagnose.sh", {}, application(password));
        const failed = () => join(folder, "handover", "failed");

        it("tells idle connections, slow statements and large tables", async () => {
            const idle = await idleConnection();
            const { status, output } = diagnose();
            idle.kill();
            assert.equal(status, 0, output);
            assert.match(output, /mcp +\| leaking +\| 127\.0\.0\.1 +\| +1/);
            assert.match(output, /calls +\| +mean_ms +\| +total_ms +\| +query/);
            assert.match(output, /tools +\| \d+ kB/);
            assert.equal(existsSync(failed()), false);
        });

        it("goes on without pg_stat_statements, and says what it could not look at", () => {
            server.sql("DROP EXTENSION pg_stat_statements", "mcp");
            const { status, output } = diagnose();
            server.sql("CREATE EXTENSION pg_stat_statements", "mcp");
            assert.equal(status, 0, output);
            assert.match(output, /relation "pg_stat_statements" does not exist/);
            assert.match(output, /tools +\| \d+ kB/);
            assert.equal(readFileSync(failed(), "utf8"), "Statements by total time (6.3)\n");
        });

        it("leaves the rest to the next step when the database refuses it", () => {
            const { status, output } = diagnose("planted-wrong");
            assert.equal(status, 0);
            assert.match(output, /password authentication failed/);
            assert.equal(readFileSync(failed(), "utf8").split("; ").length, 4);
        });
    });
});
