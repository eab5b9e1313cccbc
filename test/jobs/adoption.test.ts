import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scramVerifier } from "../../components/data/scram";
import { root } from "../support";
import { type Postgres, startPostgres, whyNoPostgres } from "./postgres";

/* The accounts of docs/adopting.md, on a PostgreSQL whose administrator has the rights that RDS gives. */

const missing = whyNoPostgres();
const suite = missing ? describe.skip : describe;

const SUPERUSER_PASSWORD = "planted-superuser";
const PASSWORDS = {
    administrator: "planted-administrator",
    mcp: "planted-old",
    mcp_before: "planted-before",
    mcp_app: "planted-new",
};

suite(`an adopted database${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(60_000);
    let server: Postgres;

    before(async () => {
        server = await startPostgres(SUPERUSER_PASSWORD);
        // RDS's administrator may create roles and databases, and is no superuser.
        sql(
            "mcp_admin",
            SUPERUSER_PASSWORD,
            "postgres",
            `CREATE ROLE administrator LOGIN CREATEDB CREATEROLE PASSWORD '${PASSWORDS.administrator}';
             GRANT pg_read_all_stats TO administrator WITH ADMIN OPTION;`,
        );
        as(
            "administrator",
            `CREATE ROLE mcp LOGIN PASSWORD '${PASSWORDS.mcp}'; GRANT mcp TO CURRENT_USER;`,
            "postgres",
        );
        as("administrator", "CREATE DATABASE mcp OWNER mcp", "postgres");
        sql(
            "mcp_admin",
            SUPERUSER_PASSWORD,
            "mcp",
            "CREATE EXTENSION pg_stat_statements; ALTER SCHEMA public OWNER TO mcp",
        );
        as("mcp", "CREATE TABLE tools (name text); INSERT INTO tools VALUES ('one')");
    });
    after(() => server?.stop());

    it("keeps its old account until the pods have another, and gives both what there is", () => {
        const page = readFileSync(join(root, "docs", "adopting.md"), "utf8");
        const [, statements] = /```sql\n([^]+?)```/.exec(page)!;
        as(
            "administrator",
            statements!.replaceAll("owner", "mcp").replace("'…'", `'${PASSWORDS.mcp_before}'`),
        );
        for (const user of ["mcp", "mcp_before"] as const) {
            assert.equal(
                as(user, "INSERT INTO tools VALUES ('more'); SELECT count(*) > 1 FROM tools"),
                "t",
                user,
            );
        }
    });

    it("has the account of the services set up by the bootstrap, and pods that go on with theirs", () => {
        const folder = mkdtempSync(join(tmpdir(), "mcp-adopted-"));
        try {
            for (const name of ["handover", "secrets/mcp_app"])
                mkdirSync(join(folder, name), { recursive: true });
            const administrator = { username: "administrator", password: PASSWORDS.administrator };
            writeFileSync(join(folder, "handover", "administrator.json"), JSON.stringify(administrator));
            const salt = Buffer.from("0123456789abcdef");
            writeFileSync(
                join(folder, "secrets", "mcp_app", "verifier"),
                scramVerifier(PASSWORDS.mcp_app, salt),
            );
            const { status, stdout, stderr } = spawnSync(
                "bash",
                [join(root, "jobs", "database", "bootstrap.sh")],
                {
                    encoding: "utf8",
                    env: {
                        PATH: process.env["PATH"],
                        HOME: folder,
                        HANDOVER: join(folder, "handover"),
                        SECRETS: join(folder, "secrets"),
                        PGHOST: "127.0.0.1",
                        PGPORT: String(server.port),
                        PGSSLMODE: "prefer",
                        DATABASE: "mcp",
                        USERS: "mcp_app\tLOGIN\t",
                    },
                },
            );
            assert.equal(status, 0, stdout + stderr);
        } finally {
            rmSync(folder, { recursive: true });
        }
        as("mcp_before", "INSERT INTO tools VALUES ('before'); CREATE TABLE made (name text)");
        assert.equal(
            as("mcp_app", "ALTER TABLE tools ADD COLUMN kind text; SELECT count(*) > 2 FROM tools"),
            "t",
        );
        assert.equal(as("mcp_app", "SELECT count(*) FROM made"), "0");
    });

    /** Runs statements as a user with its password. */
    function as(user: keyof typeof PASSWORDS, statements: string, database = "mcp"): string {
        return sql(user, PASSWORDS[user], database, statements);
    }

    function sql(user: string, password: string, database: string, statements: string): string {
        const options = ["-h", "127.0.0.1", "-p", String(server.port), "-U", user, "-d", database];
        const { status, stdout, stderr } = spawnSync("psql", [...options, "-XAtq", "-v", "ON_ERROR_STOP=1"], {
            encoding: "utf8",
            input: statements,
            env: { ...process.env, PGPASSWORD: password },
        });
        assert.equal(status, 0, stderr);
        return stdout.trim();
    }
});
