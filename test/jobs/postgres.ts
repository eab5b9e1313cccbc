import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Issued } from "../certificates";
import { onProcessEnd } from "../cluster/process-end";

/** A PostgreSQL server for one test, on a free port of loopback. */
export interface Postgres {
    port: number;
    administrator: { username: string; password: string };
    /** Runs SQL as the administrator and returns what it prints. */
    sql(statement: string, database?: string): string;
    /** What the server has logged. */
    log(): string;
    /** A copy of its files, as a backup takes one, from which another is started. */
    backUp(): string;
    stop(): Promise<void>;
}

const BASE = "/usr/lib/postgresql";

/** Folder of the newest server programs, if there are any. */
function programs(): string | undefined {
    try {
        const versions = readdirSync(BASE).sort((one, other) => Number(other) - Number(one));
        return versions[0] && join(BASE, versions[0], "bin");
    } catch {
        return undefined;
    }
}

/** Why there is no server to test with, in plain words; undefined when there is one. */
export function whyNoPostgres(): string | undefined {
    if (programs() === undefined) {
        return `there is no PostgreSQL below ${BASE}; Debian's package postgresql has it`;
    }
    if (process.getuid?.() === 0 && owner() === undefined) {
        return "PostgreSQL does not run as root, and there is no user postgres";
    }
    return undefined;
}

/** User of the server: ours, except that it refuses to be root. */
function owner(): { uid: number; gid: number } | undefined {
    const id = (flag: string) =>
        Number(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout || NaN);
    const [uid, gid] = [id("-u"), id("-g")];
    return Number.isNaN(uid) ? undefined : { uid, gid };
}

/** How a server is started. */
export interface PostgresOptions {
    /** Default: without TLS. */
    tls?: Issued;
    /** Settings beside those that every test has. Default: none. */
    settings?: Readonly<Record<string, string>>;
    /** A backup to start from, and the folder of the log it is played forward with, up to that time. Default: an empty one. */
    restore?: { backup: string; archive: string; time: string };
}

/** A folder that the server may write to; it is gone when the process ends. */
export function postgresFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), "mcp-postgres-"));
    const as = process.getuid?.() === 0 ? owner() : undefined;
    if (as !== undefined) {
        chownSync(folder, as.uid, as.gid);
    }
    onProcessEnd(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    return folder;
}

/** Starts a server whose administrator has this password, with passwords asked of everybody. */
export async function startPostgres(password: string, options: PostgresOptions = {}): Promise<Postgres> {
    const { tls, settings = {}, restore } = options;
    const bin = programs()!;
    const as = process.getuid?.() === 0 ? owner() : undefined;
    const folder = postgresFolder();
    const secret = join(folder, "password");
    writeFileSync(secret, password);
    if (as !== undefined) {
        chownSync(secret, as.uid, as.gid);
    }
    const encryption: string[] = [];
    if (tls !== undefined) {
        const [certificate, key] = [join(folder, "server.crt"), join(folder, "server.key")];
        copyFileSync(tls.files.certificate, certificate);
        copyFileSync(tls.files.privateKey, key);
        chmodSync(key, 0o600);
        if (as !== undefined) {
            chownSync(key, as.uid, as.gid);
        }
        encryption.push("-c", "ssl=on", "-c", `ssl_cert_file=${certificate}`, "-c", `ssl_key_file=${key}`);
    }
    const data = restore?.backup ?? join(folder, "data");
    const port = await freePort();
    const all: Record<string, string> = { ...settings };
    if (restore === undefined) {
        execFileSync(
            join(bin, "initdb"),
            [
                "--pgdata",
                data,
                "--username",
                "mcp_admin",
                "--auth",
                "scram-sha-256",
                "--pwfile",
                secret,
                "--no-sync",
            ],
            { ...as, stdio: "pipe" },
        );
    } else {
        const signal = join(data, "recovery.signal");
        writeFileSync(signal, "");
        if (as !== undefined) {
            chownSync(signal, as.uid, as.gid);
        }
        all["restore_command"] = `cp ${restore.archive}/%f %p`;
        all["recovery_target_time"] = restore.time;
        all["recovery_target_action"] = "promote";
    }
    const server = spawn(
        join(bin, "postgres"),
        [
            ["-D", data, "-p", String(port), "-k", folder, "-h", "127.0.0.1", "-F"],
            ["-c", "shared_preload_libraries=pg_stat_statements", "-c", "log_statement=all"],
            Object.entries(all).flatMap(([setting, value]) => ["-c", `${setting}=${value}`]),
            encryption,
        ].flat(),
        { ...as, stdio: ["ignore", "ignore", "pipe"] },
    );
    let log = "";
    server.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
    const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    const forget = onProcessEnd(() => {
        server.kill("SIGKILL");
        remove();
    });
    const env = { ...process.env, PGPASSWORD: password, PGCONNECT_TIMEOUT: "5" };
    const sql = (statement: string, database = "postgres") =>
        execFileSync(
            "psql",
            ["-h", "127.0.0.1", "-p", String(port), "-U", "mcp_admin", "-d", database, "-XAtqc", statement],
            { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
        ).trim();
    for (let attempt = 0; !log.includes("ready to accept connections"); attempt += 1) {
        if (attempt > 600 || server.exitCode !== null) {
            throw new Error(`PostgreSQL did not start:\n${log}`);
        }
        await sleep(50);
    }
    return {
        port,
        administrator: { username: "mcp_admin", password },
        sql,
        log: () => log,
        backUp() {
            const backup = join(postgresFolder(), "data");
            const from = ["-h", "127.0.0.1", "-p", String(port), "-U", "mcp_admin", "-D", backup];
            const args = [...from, "--wal-method=none", "--checkpoint=fast", "--no-sync"];
            execFileSync(join(bin, "pg_basebackup"), args, { ...as, env, stdio: "pipe" });
            return backup;
        },
        async stop() {
            if (server.exitCode === null && server.signalCode === null) {
                const ended = new Promise((resolve) => server.once("close", resolve));
                server.kill("SIGQUIT");
                await ended;
            }
            remove();
            forget();
        },
    };
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
}

/** A session of the application's user that holds a lock on a table until its input ends. */
export async function lockTable(port: number, password: string, table: string, mode: string) {
    const session = spawn(
        "psql",
        ["-h", "127.0.0.1", "-p", String(port), "-U", "mcp", "-d", "mcp", "-XAtq"],
        { env: { PATH: process.env["PATH"], PGPASSWORD: password }, stdio: ["pipe", "pipe", "inherit"] },
    );
    session.stdin.write(`BEGIN; LOCK TABLE ${table} IN ${mode} MODE; SELECT 'locked';\n`);
    await once(session.stdout, "data");
    return session;
}
