import { spawn, spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { onProcessEnd } from "./cluster/process-end";
import { freePort } from "./jobs/postgres";

/** A stub of AWS: moto stores all calls in memory, and admits every caller. */
export interface Moto {
    port: number;
    /** Asks a service of AWS in a region, both by the names that requests are signed with: `ap-south-1/ec2`. */
    ask(scope: string, path: string, init?: RequestInit): Promise<Response>;
    stop(): void;
}

/** Why there is no moto to test with, in plain words; undefined when there is one. */
export function whyNoMoto(): string | undefined {
    return spawnSync("moto_server", ["--help"]).status === 0
        ? undefined
        : "there is no moto_server; pip install 'moto[server]' has it";
}

/** Starts it, with nothing in it. */
export async function startMoto(): Promise<Moto> {
    const port = await freePort();
    const server = spawn("moto_server", ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
    const forget = onProcessEnd(() => server.kill("SIGKILL"));
    const moto: Moto = {
        port,
        ask: (scope, path, init) =>
            fetch(`http://127.0.0.1:${port}${path}`, {
                ...init,
                headers: {
                    // Any signature will do, but without one nothing private is shown.
                    authorization: `AWS4-HMAC-SHA256 Credential=planted/20260101/${scope}/aws4_request`,
                    ...init?.headers,
                },
            }),
        stop() {
            server.kill("SIGKILL");
            forget();
        },
    };
    for (let attempt = 0; ; attempt += 1) {
        try {
            await moto.ask("us-east-1/s3", "/moto-api/");
            return moto;
        } catch (error) {
            if (attempt > 200 || server.exitCode !== null) {
                moto.stop();
                throw new Error("moto_server did not start", { cause: error });
            }
            await sleep(100);
        }
    }
}
