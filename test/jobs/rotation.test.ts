import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { scramVerifier } from "../../components/data/scram";
import { Redis } from "../../jobs/lib/redis";
import { temporaryAuthority } from "../certificates";
import { type Postgres, startPostgres, whyNoPostgres } from "./postgres";
import { type RedisServer, startRedis, whyNoRedis } from "./redis";
import { type Ended, StepFolder } from "./steps";

/** Pods of the application. */
const PODS = 4;

/** Requests that the pods of each credential send at least. */
const REQUESTS = 40;

/** Sends one request on a new connection, with a credential; rejects if the server refuses it. */
type Request<Credential> = (credential: Credential) => Promise<void>;

/**
 * Pods that send requests without pause, none of which is repeated. A pod keeps the credential that was in the Secret when it
 * began. A rollout replaces one pod at a time: another begins, then the pod ends.
 */
class Pods<Credential> {
    readonly counts = { sent: 0, failed: 0 };
    private readonly running: (() => Promise<void>)[] = [];
    /** Requests with the newest credential. */
    private recent = 0;

    constructor(
        private readonly request: Request<Credential>,
        private secret: Credential,
    ) {
        for (let pod = 0; pod < PODS; pod += 1) this.start();
    }

    /** Writes the Secret, and replaces the pods. */
    async rollOut(secret: Credential): Promise<void> {
        this.secret = secret;
        this.recent = 0;
        for (const stop of this.running.splice(0)) {
            this.start();
            await this.serve(REQUESTS / PODS);
            await stop();
        }
        await this.serve(REQUESTS);
    }

    /** Waits until the pods have sent so many more requests with the newest credential. */
    async serve(requests: number): Promise<void> {
        for (const enough = this.recent + requests; this.recent < enough;) await sleep(5);
    }

    async stop(): Promise<void> {
        await Promise.all(this.running.splice(0).map((stop) => stop()));
    }

    private start(): void {
        const { secret } = this;
        let going = true;
        const done = (async () => {
            while (going) {
                this.counts.sent += 1;
                await this.request(secret).catch(() => (this.counts.failed += 1));
                if (secret === this.secret) this.recent += 1;
            }
        })();
        this.running.push(async () => {
            going = false;
            await done;
        });
    }
}

const noPostgres = whyNoPostgres();

(noPostgres ? describe.skip : describe)(
    `the rotation of the database's password under load${noPostgres ? ` (skipped: ${noPostgres})` : ""}`,
    function () {
        this.timeout(180_000);
        const ADMINISTRATOR_PASSWORD = "planted-administrator";
        const SALT = Buffer.from("0123456789abcdef");
        const [FIRST, SECOND, THIRD] = ["2026-02-01", "2026-03-01", "2026-04-01"].map(
            (day) => `${day}T10:00:00+05:30`,
        ) as [string, string, string];
        interface Login {
            user: string;
            password: string;
        }
        let server: Postgres;
        let folder: StepFolder;
        let pods: Pods<Login>;
        const passwords: Record<string, string> = {
            mcp: "plantedInstallation",
            mcp_b: "plantedOther",
        };

        const bootstrap = async (
            ...users: [name: string, login: string, rotated: string][]
        ): Promise<Ended> => {
            for (const [name] of users) {
                folder.supply({ [`${name}/verifier`]: scramVerifier(passwords[name]!, SALT) });
            }
            writeFileSync(folder.handover("administrator.json"), JSON.stringify(server.administrator));
            const { ended } = folder.start("database/bootstrap.sh", {
                PGHOST: "127.0.0.1",
                PGPORT: String(server.port),
                PGSSLMODE: "prefer",
                DATABASE: "mcp",
                USERS: users.map((user) => user.join("\t")).join("\n"),
            });
            const result = await ended;
            assert.ok(!result.output.includes("planted"), result.output);
            return result;
        };
        const succeeds = async (...users: Parameters<typeof bootstrap>) => {
            const { status, output } = await bootstrap(...users);
            assert.equal(status, 0, output);
        };
        /** What the application does: occasionally a new table, and a row. */
        const psql = ({ user, password }: Login, statement: string) =>
            new Promise<string>((resolve, reject) => {
                const args = [
                    "-h",
                    "127.0.0.1",
                    "-p",
                    String(server.port),
                    "-U",
                    user,
                    "-d",
                    "mcp",
                    "-XAtqc",
                ];
                const child = spawn("psql", [...args, statement], {
                    env: { ...process.env, PGPASSWORD: password },
                    stdio: ["ignore", "pipe", "pipe"],
                });
                let output = "";
                child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
                child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
                child.once("close", (status) =>
                    status === 0 ? resolve(output.trim()) : reject(new Error(output)),
                );
            });
        const login = (user: string): Login => ({ user, password: passwords[user]! });
        /** A connection of a pool, which stays until it is ended. */
        const hold = async ({ user, password }: Login, valid = password) => {
            const session = psql({ user, password: valid }, "SELECT pg_sleep(600)").catch(() => undefined);
            const where = `FROM pg_stat_activity WHERE usename = '${user}' AND query LIKE '%pg_sleep(600)'`;
            while (server.sql(`SELECT count(*) ${where}`) === "0") await sleep(20);
            return async () => {
                server.sql(`SELECT pg_terminate_backend(pid) ${where}`);
                await session;
            };
        };
        const refused = (message: RegExp, credential: Login) =>
            assert.rejects(psql(credential, "SELECT 1"), message);

        before(async () => {
            folder = new StepFolder();
            server = await startPostgres(ADMINISTRATOR_PASSWORD, { settings: { log_statement: "ddl" } });
            await succeeds(["mcp", "LOGIN", ""]);
            await psql(login("mcp"), "CREATE TABLE requests (id bigserial PRIMARY KEY, sender text)");
            pods = new Pods<Login>(
                async (credential) =>
                    void (await psql(credential, "INSERT INTO requests (sender) VALUES (session_user)")),
                login("mcp"),
            );
            await pods.serve(REQUESTS);
        });
        after(async () => {
            await pods?.stop();
            await server?.stop();
            folder.remove();
        });

        it("fails no request, there and back, and all that is made belongs to the owner", async () => {
            await succeeds(["mcp", "LOGIN", ""], ["mcp_b", "LOGIN", FIRST]);
            await pods.rollOut(login("mcp_b"));
            await psql(login("mcp_b"), "CREATE TABLE made_by_b (id int)");
            // A client that resets its role is the other user itself.
            await psql(login("mcp_b"), "RESET ROLE; SET ROLE NONE; CREATE TABLE made_without_role (id int)");

            passwords["mcp"] = "plantedRotated";
            await succeeds(["mcp", "LOGIN", SECOND], ["mcp_b", "LOGIN", FIRST]);
            await pods.rollOut(login("mcp"));

            const { sent, failed } = pods.counts;
            console.log(`      ${sent} requests sent, ${failed} failed, in 2 rotations`);
            assert.equal(failed, 0);
            assert.ok(sent >= 4 * REQUESTS, String(sent));
            // Those that are on their way are not counted yet.
            const rows = Number(await psql(login("mcp"), "SELECT count(*) FROM requests"));
            assert.ok(rows >= sent - PODS, `${rows} rows`);
            assert.equal(
                await psql(
                    login("mcp"),
                    "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'",
                ),
                "mcp",
            );
        });

        it("refuses the user that the services use, and a rotation while another one runs", async () => {
            const changed = { ...passwords };
            passwords["mcp"] = "plantedTooEarly";
            const end = await hold(login("mcp"), changed["mcp"]!);
            const { status, output } = await bootstrap(["mcp", "LOGIN", THIRD], ["mcp_b", "LOGIN", FIRST]);
            assert.equal(status, 1);
            assert.match(
                output,
                /^✗ the password of mcp can be neither rotated nor ended: \d+ sessions use it\. .* Nothing was changed\n$/,
            );
            Object.assign(passwords, changed);
            await end();
            const failed = pods.counts.failed;
            await pods.serve(REQUESTS);
            assert.equal(pods.counts.failed, failed);
        });

        it("ends the other user once it has no connections, and admits it again", async () => {
            const end = await hold(login("mcp_b"));
            const early = await bootstrap(["mcp", "LOGIN", SECOND], ["mcp_b", "NOLOGIN", FIRST]);
            assert.equal(early.status, 1);
            assert.match(early.output, /the password of mcp_b .*: 1 sessions use it/);
            await end();
            await succeeds(["mcp", "LOGIN", SECOND], ["mcp_b", "NOLOGIN", FIRST]);
            await refused(/not permitted to log in/, login("mcp_b"));
            await succeeds(["mcp", "LOGIN", SECOND], ["mcp_b", "LOGIN", FIRST]);
            await psql(login("mcp_b"), "SELECT 1");
        });

        it("with one user instead would fail requests", async () => {
            const failed = pods.counts.failed;
            passwords["mcp"] = "plantedInPlace";
            server.sql(`ALTER ROLE mcp PASSWORD '${scramVerifier(passwords["mcp"], SALT)}'`);
            await pods.rollOut(login("mcp"));
            const lost = pods.counts.failed - failed;
            console.log(`      ${lost} requests failed where one user has one password`);
            assert.ok(lost > 0);
        });
    },
);

const noRedis = whyNoRedis();

(noRedis ? describe.skip : describe)(
    `the rotation of the token of Redis under load${noRedis ? ` (skipped: ${noRedis})` : ""}`,
    function () {
        this.timeout(60_000);
        const { issue, remove } = temporaryAuthority();
        const [FIRST, SECOND, THIRD] = ["planted-first", "planted-second", "planted-third"] as const;
        let server: RedisServer;
        let pods: Pods<string>;
        const signal = new AbortController().signal;

        /*
         * What ElastiCache does with the token of a group: ROTATE makes another one valid beside those that are, SET makes it the
         * only one. A server of Redis has both for the user `default`.
         */
        const rotate = (token: string) => server.cli("ACL", "SETUSER", "default", `>${token}`);
        const set = (token: string) => server.cli("ACL", "SETUSER", "default", "resetpass", `>${token}`);
        const accepted = async (token: string) => {
            const redis = await Redis.connect(
                { host: "127.0.0.1", port: server.port, password: token },
                signal,
            );
            try {
                await redis.command("INCR", "requests");
            } finally {
                redis.close();
            }
        };

        before(async () => {
            const certificate = issue("redis", { hosts: ["localhost"], authority: true });
            process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
            server = await startRedis(certificate, FIRST);
            pods = new Pods<string>(accepted, FIRST);
            await pods.serve(REQUESTS);
        });
        after(async () => {
            await pods?.stop();
            await server?.stop();
            remove();
            delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
        });

        it("fails no request with ROTATE, a rollout and SET, and the old token ends", async () => {
            rotate(SECOND);
            await pods.rollOut(SECOND);
            await accepted(FIRST);
            set(SECOND);
            server.password = SECOND;
            await pods.serve(REQUESTS);
            await assert.rejects(accepted(FIRST), /WRONGPASS/);
            const { sent, failed } = pods.counts;
            console.log(`      ${sent} requests sent, ${failed} failed`);
            assert.equal(failed, 0);
        });

        it("with SET at once would fail requests", async () => {
            const { failed } = pods.counts;
            set(THIRD);
            server.password = THIRD;
            await pods.rollOut(THIRD);
            const lost = pods.counts.failed - failed;
            console.log(`      ${lost} requests failed where the old token ended first`);
            assert.ok(lost > 0);
        });
    },
);
