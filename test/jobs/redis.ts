import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Issued } from "../certificates";
import { onProcessEnd } from "../cluster/process-end";
import { freePort } from "./postgres";

/** A Redis server for one test, on a free port of loopback, with TLS and a password like ElastiCache. */
export interface RedisServer {
    port: number;
    password: string;
    /** Runs one command with redis-cli and returns what it prints. */
    cli(...command: string[]): string;
    stop(): Promise<void>;
}

/** Why there is no server to test with, in plain words; undefined when there is one. */
export function whyNoRedis(): string | undefined {
    const { error, stdout } = spawnSync("redis-server", ["--version"], { encoding: "utf8" });
    return error === undefined && stdout.includes("Redis server")
        ? undefined
        : "there is no redis-server on PATH; Debian's package redis-server has it";
}

/** Starts a server that shows this certificate and asks for this password. */
export async function startRedis({ files }: Issued, password: string): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), "mcp-redis-"));
    const port = await freePort();
    const server = spawn(
        "redis-server",
        [
            ["--port", "0", "--tls-port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
            ["--tls-cert-file", files.certificate, "--tls-key-file", files.privateKey],
            ["--tls-ca-cert-file", files.certificate, "--tls-auth-clients", "no"],
            ["--requirepass", password, "--enable-debug-command", "local"],
        ].flat(),
        { stdio: ["ignore", "pipe", "ignore"] },
    );
    let log = "";
    server.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
    const remove = () => rmSync(folder, { recursive: true, force: true });
    const forget = onProcessEnd(() => {
        server.kill("SIGKILL");
        remove();
    });
    for (let attempt = 0; !log.includes("Ready to accept connections"); attempt += 1) {
        if (attempt > 200 || server.exitCode !== null) {
            throw new Error(`Redis did not start:\n${log}`);
        }
        await sleep(50);
    }
    return {
        port,
        password,
        cli(...command) {
            const { status, stdout, stderr } = spawnSync(
                "redis-cli",
                ["-p", String(port), "--tls", "--insecure", ...command],
                { encoding: "utf8", env: { ...process.env, REDISCLI_AUTH: password } },
            );
            if (status !== 0 || stdout.startsWith("ERR")) {
                throw new Error(`redis-cli ${command[0]}: ${stdout}${stderr}`);
            }
            return stdout.trim();
        },
        async stop() {
            const ended = new Promise((resolve) => server.once("close", resolve));
            server.kill("SIGKILL");
            await ended;
            remove();
            forget();
        },
    };
}
