import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onProcessEnd } from "../cluster/process-end";
import { startMoto, whyNoMoto } from "../moto";

/** What answers a request in the server's place. */
export interface OwnAnswer {
    status: number;
    body: string;
}

/** A server that speaks S3 and CloudWatch: moto, and in front of it whatever a test does to its answers. */
export interface S3 {
    /** What the AWS command line needs to talk to it. */
    env: Record<string, string>;
    /** Every request so far: method, path and query. */
    requests: string[];
    /** Called before a request is passed on; what it gives is the answer, and undefined passes it on. */
    intervene: (method: string, url: string) => OwnAnswer | undefined | Promise<undefined>;
    /** Called with an answer's headers before they are passed back. */
    alter: (method: string, headers: Record<string, string>) => void;
    /** Asks the server itself, past what a test does to its answers. */
    ask(path: string, init?: RequestInit): Promise<Response>;
    /** Names of the objects in the bucket. */
    keys(): Promise<string[]>;
    /** Uploads that were begun and neither completed nor given up. */
    unfinished(): Promise<number>;
    /** Takes everything away but the empty bucket. */
    reset(): Promise<void>;
    stop(): void;
}

/** Why there is no S3 to test with, in plain words; undefined when there is one. */
export function whyNoS3(): string | undefined {
    return spawnSync("aws", ["--version"]).status === 0
        ? whyNoMoto()
        : "there is no AWS command line; pip install awscli has it";
}

/** Starts a server with a bucket. */
export async function startS3(bucket: string): Promise<S3> {
    const moto = await startMoto();
    const folder = mkdtempSync(join(tmpdir(), "mcp-s3-"));
    const front = createServer();
    await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
    const forget = onProcessEnd(() => rmSync(folder, { recursive: true, force: true }));
    const ask = (path: string, init?: RequestInit) => moto.ask("us-east-1/s3", path, init);
    const texts = async (path: string, tag: string) =>
        Array.from(
            (await (await ask(path)).text()).matchAll(new RegExp(`<${tag}>([^<]*)<`, "g")),
            ([, text]) => text!,
        );
    const server: S3 = {
        env: {
            AWS_ENDPOINT_URL: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
            AWS_ACCESS_KEY_ID: "planted",
            AWS_SECRET_ACCESS_KEY: "planted",
            AWS_DEFAULT_REGION: "ap-south-1",
            AWS_EC2_METADATA_DISABLED: "true",
            HOME: folder,
        },
        requests: [],
        intervene: () => undefined,
        alter: () => undefined,
        ask,
        keys: () => texts(`/${bucket}?list-type=2`, "Key"),
        unfinished: async () => (await texts(`/${bucket}?uploads`, "UploadId")).length,
        async reset() {
            await ask("/moto-api/reset", { method: "POST" });
            await ask(`/${bucket}`, { method: "PUT" });
            server.requests.length = 0;
            server.intervene = () => undefined;
            server.alter = () => undefined;
        },
        stop() {
            moto.stop();
            front.closeAllConnections();
            front.close();
            rmSync(folder, { recursive: true, force: true });
            forget();
        },
    };
    front.on("request", (asked, answer) => void pass(server, moto.port, asked, answer));
    await server.reset();
    return server;
}

/** Passes a request on, unless the test has another answer. */
async function pass(server: S3, port: number, asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const [method, url] = [asked.method!, asked.url!];
    server.requests.push(`${method} ${url}`);
    const own = await server.intervene(method, url);
    if (own !== undefined) {
        asked.resume().on("end", () => {
            answer.writeHead(own.status, { "content-type": "application/xml" }).end(own.body);
        });
        return;
    }
    const headers = { ...asked.headers };
    // Answered here already.
    delete headers.expect;
    const onward = request({ host: "127.0.0.1", port, method, path: url, headers }, (back) => {
        const told = back.headers as Record<string, string>;
        server.alter(method, told);
        answer.writeHead(back.statusCode!, told);
        back.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    asked.pipe(onward);
}
