import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { bundledJob } from "../../jobs/bundle.cjs";
import { type HealthPlan, healthVerdict, parseHealthPlan, runHealth } from "../../jobs/health";
import { handOver, POSTGRES_READY } from "../../jobs/lib/sharedVolume";
import { type Probe } from "../../jobs/lib/probes";
import { type Issued, temporaryAuthority } from "../certificates";
import { root } from "../support";
import { freePort } from "./postgres";
import { runProgram } from "./program";
import { type RedisServer, startRedis, whyNoRedis } from "./redis";
import { type S3, startS3, whyNoS3 } from "./s3";
import { listen } from "./servers";

const HOST = "login.example.com";
const PASSWORD = "planted-password";
/** Long, as a busy machine may take its time; what is awaited comes at once. */
const timeoutSeconds = 30;

describe("health check", () => {
    const { issue, remove } = temporaryAuthority();
    const folder = mkdtempSync(join(tmpdir(), "mcp-health-"));
    const closers: (() => void)[] = [];
    let authority: Issued;
    let served: Issued;

    before(() => {
        authority = issue("authority", { authority: true, days: 100 });
        served = issue("server", { hosts: [HOST, "localhost"], issuer: authority, days: 40 });
        writeFileSync(join(folder, "health.js"), bundledJob("health"));
    });
    beforeEach(() => {
        for (const name of ["handover", "secrets", "bin"]) {
            rmSync(join(folder, name), { recursive: true, force: true });
            mkdirSync(join(folder, name));
        }
    });
    afterEach(() => {
        for (const close of closers.splice(0)) close();
    });
    after(() => {
        remove();
        rmSync(folder, { recursive: true });
    });

    async function listening(server: Server): Promise<number> {
        const { port, close } = await listen(server);
        closers.push(close);
        return port;
    }

    const http = async (listener: RequestListener) =>
        `http://127.0.0.1:${await listening(createHttpServer(listener))}`;
    const answering =
        (status: number, body: unknown = {}): RequestListener =>
        (_, response) =>
            response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));

    function secrets(name: string, files: Record<string, string>): void {
        mkdirSync(join(folder, "secrets", name), { recursive: true });
        for (const [file, content] of Object.entries(files)) {
            writeFileSync(join(folder, "secrets", name, file), content);
        }
    }

    const plan = (...probes: Probe[]): HealthPlan => ({
        namespace: "MCP/test",
        deadlineSeconds: 60,
        probes,
    });

    /** Runs the bundle as the first step of the task does. */
    async function run(content: unknown) {
        writeFileSync(join(folder, "plan.json"), JSON.stringify(content));
        const { code: status, output } = await runProgram(
            [join(folder, "health.js"), join(folder, "plan.json")],
            {
                env: {
                    SECRETS: join(folder, "secrets"),
                    HANDOVER: join(folder, "handover"),
                    NODE_EXTRA_CA_CERTS: authority.files.certificate,
                },
            },
        );
        assert.ok(!output.includes("planted"), `a secret is in: ${output}`);
        // Times differ from run to run.
        return {
            status,
            lines: output
                .trim()
                .replace(/ in \d+ ms/g, " in N ms")
                .split("\n"),
        };
    }

    /** Values that are published, by component and metric. */
    function published(): Record<string, number> {
        const { Namespace, MetricData } = JSON.parse(
            readFileSync(join(folder, "handover", "metrics.json"), "utf8"),
        );
        assert.equal(Namespace, "MCP/test");
        return Object.fromEntries(
            MetricData.map(
                ({
                    MetricName,
                    Dimensions,
                    Value,
                }: {
                    MetricName: string;
                    Dimensions: { Name: string; Value: string }[];
                    Value: number;
                }) => {
                    assert.deepEqual(
                        Dimensions.map(({ Name }) => Name),
                        ["Component"],
                    );
                    return [`${Dimensions[0]!.Value} ${MetricName}`, Value];
                },
            ),
        );
    }

    /** What one probe finds, without its time. */
    async function found(probe: Probe, date?: () => Date): Promise<string> {
        const lines: string[] = [];
        await runHealth(plan(probe), {
            log: (line) => lines.push(line),
            signal: new AbortController().signal,
            secrets: join(folder, "secrets"),
            handover: join(folder, "handover"),
            ...(date && { date }),
        });
        return lines[1]!.replace(/ in \d+ ms/, "");
    }

    it("measures how old the oldest credential is, and names those that are too old", async () => {
        const url = await http(answering(200));
        const ago = (days: number) => new Date(Date.now() - days * 86_400_000 - 60_000).toISOString();
        const { status, lines } = await run({
            ...plan({ name: "MCP Server", kind: "http", timeoutSeconds, url }),
            credentials: {
                maxDays: 365,
                all: [
                    { name: "Redis", made: ago(365) },
                    { name: "mcp-server APIM_SUBSCRIPTION_KEY", made: ago(400) },
                ],
            },
        });
        // An old credential works: nothing is unhealthy.
        assert.equal(status, 0);
        assert.deepEqual(
            lines.filter((line) => line.startsWith("!")),
            ["! mcp-server APIM_SUBSCRIPTION_KEY: made 400 days ago, at most 365: rotate it"],
        );
        assert.equal(published()["Credentials CredentialDays"], 400);
    });

    it("prints the lines of section 2.2 and leaves the metrics for the next step", async () => {
        const url = await http(answering(200));
        const { status, lines } = await run(
            plan(
                { name: "MCP Server", kind: "http", timeoutSeconds, url: `${url}/health` },
                { name: "Chat UI", kind: "http", timeoutSeconds, url },
            ),
        );
        assert.deepEqual(lines, [
            "=== MCP Platform Health Check ===",
            "✓ MCP Server: Healthy (200 in N ms)",
            "✓ Chat UI: Healthy (200 in N ms)",
            "=================================",
            "PASSED 2 of 2: all are healthy.",
        ]);
        assert.equal(status, 0);
        const metrics = published();
        assert.deepEqual(Object.keys(metrics).sort(), [
            "Chat UI Healthy",
            "Chat UI LatencyMilliseconds",
            "MCP Server Healthy",
            "MCP Server LatencyMilliseconds",
        ]);
        assert.deepEqual([metrics["MCP Server Healthy"], metrics["Chat UI Healthy"]], [1, 1]);
        assert.equal(existsSync(join(folder, "handover", "failed")), false);
    });

    it("tells every way a service fails, in the order of the matrix, and does not fail before its metrics are out", async () => {
        const silent = await listening(createServer());
        const closing = await listening(
            createServer((socket) => socket.once("data", () => socket.destroy())),
        );
        const { status, lines } = await run(
            plan(
                { name: "Error", kind: "http", timeoutSeconds, url: await http(answering(503)) },
                { name: "Away", kind: "http", timeoutSeconds, url: `http://127.0.0.1:${await freePort()}` },
                { name: "Silent", kind: "http", timeoutSeconds: 1, url: `http://127.0.0.1:${silent}` },
                { name: "Closing", kind: "http", timeoutSeconds, url: `http://127.0.0.1:${closing}` },
                { name: "Moved", kind: "http", timeoutSeconds, url: await http(answering(302)) },
                { name: "Well", kind: "http", timeoutSeconds, url: await http(answering(200)) },
            ),
        );
        // Which end notices first is left to chance.
        const told = lines.slice(1, -2).map((line) => line.replace("ECONNRESET", "UND_ERR_SOCKET"));
        assert.deepEqual(told, [
            "✗ Error: Unhealthy (expected status 200, found 503)",
            "✗ Away: Unhealthy (connection refused (ECONNREFUSED))",
            "✗ Silent: Unhealthy (no answer within 1 s)",
            "✗ Closing: Unhealthy (connection dropped (UND_ERR_SOCKET))",
            "✗ Moved: Unhealthy (expected status 200, found 302)",
            "✓ Well: Healthy (200 in N ms)",
        ]);
        assert.equal(status, 0);
        const metrics = published();
        assert.equal(metrics["Error Healthy"], 0);
        assert.equal("Silent LatencyMilliseconds" in metrics, false);
        assert.equal(metrics["Well Healthy"], 1);
        assert.equal(readFileSync(join(folder, "handover", "failed"), "utf8").trim(), lines.at(-1));
        assert.match(lines.at(-1)!, /^FAILED 5 of 6: Error \(expected status 200, found 503\), Away/);
    });

    it("counts what the deadline cuts off as unhealthy", async () => {
        const silent = await listening(createServer());
        const { lines } = await run({
            ...plan({ name: "Silent", kind: "http", timeoutSeconds: 60, url: `http://127.0.0.1:${silent}` }),
            deadlineSeconds: 1,
        });
        assert.equal(lines[1], "✗ Silent: Unhealthy (the deadline of 1 s passed)");
    });

    it("refuses a plan it does not understand", async () => {
        const { status, lines } = await run({ ...plan(), probes: [{ kind: "ping", name: "x" }] });
        assert.equal(status, 2);
        assert.match(lines[0]!, /probes\[0\]\.kind: found "ping", expected http or postgres or redis or/);
        for (const [probe, message] of [
            [{ name: "x", kind: "http", timeoutSeconds: 1, url: "mcp-server" }, /url: found "mcp-server"/],
            [{ name: "x", kind: "http", timeoutSeconds: 0, url: "http://x" }, /timeoutSeconds: found 0/],
            [{ name: "x", kind: "redis", timeoutSeconds: 1 }, /secrets: found nothing/],
            [
                { name: "x", kind: "jwks", timeoutSeconds: 1, url: "http://x", keys: 1 },
                /keys: found an unknown key/,
            ],
        ] as const) {
            assert.throws(() => parseHealthPlan({ ...plan(), probes: [probe] }), message);
        }
    });

    describe("of what the platform depends on", () => {
        const openid = (url: string): Probe => ({ name: "Azure AD", kind: "openid", timeoutSeconds, url });
        const jwks = (url: string): Probe => ({ name: "JWKS", kind: "jwks", timeoutSeconds, url });

        it("finds an issuer's configuration and its keys", async () => {
            const keys = await http(answering(200, { keys: [{ kid: "1" }, { kid: "2" }] }));
            const configuration = await http(answering(200, { jwks_uri: keys }));
            assert.equal(await found(openid(configuration)), `✓ Azure AD: Healthy (keys at ${keys})`);
            assert.equal(await found(jwks(configuration)), "✓ JWKS: Healthy (2 keys)");
        });

        it("is not content with less", async () => {
            const pointing = async (status: number, body: unknown) =>
                http(answering(200, { jwks_uri: await http(answering(status, body)) }));
            const cases: [Probe, string][] = [
                [openid(await http(answering(200, "<html>"))), "expected JSON, found something else"],
                [openid(await http(answering(200, { issuer: "x" }))), "found no jwks_uri"],
                [openid(await http(answering(200, "null"))), "found no jwks_uri"],
                [openid(await http(answering(400))), "expected status 200, found 400"],
                [jwks(await http(answering(200, {}))), "found no jwks_uri"],
                [jwks(await pointing(200, { keys: [] })), "found no keys"],
                [jwks(await pointing(200, {})), "found no keys"],
                [jwks(await pointing(500, {})), "expected status 200, found 500"],
            ];
            for (const [probe, words] of cases) {
                assert.equal(await found(probe), `✗ ${probe.name}: Unhealthy (${words})`);
            }
        });

        const certificate = (port: number, trust: "public" | "any", host = HOST): Probe => ({
            name: "Certificate",
            kind: "certificate",
            timeoutSeconds,
            host,
            address: `127.0.0.1:${port}`,
            trust,
        });
        const serving = ({ certificate, privateKey }: Issued) =>
            listening(
                createTlsServer({ cert: certificate, key: privateKey }).on("tlsClientError", () => undefined),
            );

        it("counts the days to a certificate's end", async () => {
            const { lines } = await run(plan(certificate(await serving(served), "public")));
            assert.match(
                lines[1]!,
                /^✓ Certificate: Healthy \((39|40) days, until \d{4}-\d\d-\d\d in N ms\)$/,
            );
            assert.ok([39, 40].includes(published()["Certificate CertificateDays"]!));
        });

        it("finds a certificate that has ended, is not trusted or is for others", async () => {
            const port = await serving(served);
            const end = new Date(Date.now() + 41 * 86_400_000);
            assert.match(
                await found(certificate(port, "any"), () => end),
                /^✗ Certificate: Unhealthy \(has ended \(until \d{4}-\d\d-\d\d\)\)$/,
            );
            assert.match(
                await found(certificate(port, "public")),
                /^✗ Certificate: Unhealthy \(is not trusted: .*UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
            );
            assert.match(
                await found(certificate(port, "any"), () => new Date(Date.now() - 30 * 86_400_000)),
                /^✗ Certificate: Unhealthy \(is not valid before \d{4}-\d\d-\d\d \(until \d{4}-\d\d-\d\d\)\)$/,
            );
            assert.match(await found(certificate(port, "any")), /^✓ Certificate: Healthy/);
            assert.match(await found(certificate(port, "any", "mcp.msil.com")), /is not for mcp\.msil\.com/);
            const plain = await listening(createServer((socket) => socket.end("no TLS")));
            assert.match(await found(certificate(plain, "any")), /no TLS at 127\.0\.0\.1:\d+: TLS failure/);
        });
    });

    describe("of PostgreSQL", () => {
        const ready = async (line: string | undefined) => {
            if (line !== undefined) writeFileSync(join(folder, "handover", POSTGRES_READY), `${line}\n`);
            await run(plan({ name: "PostgreSQL", kind: "postgres", timeoutSeconds }));
            return found({ name: "PostgreSQL", kind: "postgres", timeoutSeconds });
        };

        it("is what pg_isready said to the step before, with the time that took", async () => {
            assert.equal(
                await ready("0 12 accepting connections"),
                "✓ PostgreSQL: Healthy (accepting connections)",
            );
            assert.equal(published()["PostgreSQL LatencyMilliseconds"], 12);
            assert.equal(
                await ready("1 12 rejecting connections"),
                "✗ PostgreSQL: Unhealthy (rejecting connections)",
            );
            assert.equal(await ready("2 10012 no response"), "✗ PostgreSQL: Unhealthy (no response)");
            assert.equal(await ready("127 1 "), "✗ PostgreSQL: Unhealthy (pg_isready ended with 127)");
            assert.equal(published()["PostgreSQL LatencyMilliseconds"], undefined);
        });

        it("is unhealthy when the step before has left nothing", async () => {
            assert.equal(await ready(undefined), "✗ PostgreSQL: Unhealthy (pg_isready was not run)");
        });
    });

    const noRedis = whyNoRedis();
    (noRedis ? describe.skip : describe)(`of Redis${noRedis ? ` (skipped: ${noRedis})` : ""}`, () => {
        let server: RedisServer;
        before(async () => {
            server = await startRedis(served, PASSWORD);
        });
        after(() => server?.stop());

        it("is well when a real server takes the password over TLS and answers, and only then", async () => {
            const plain = await listening(createServer((socket) => socket.end("-ERR\r\n")));
            const targets: Record<string, { host?: string; port?: number; password?: string }> = {
                well: {},
                password: { password: "planted-wrong" },
                name: { host: "127.0.0.1" },
                plain: { port: plain },
                away: { port: await freePort() },
            };
            for (const [name, target] of Object.entries(targets)) {
                const { host, port, password } = { ...server, host: "localhost", ...target };
                secrets(name, { host, port: String(port), password });
            }
            const { lines } = await run(
                plan(
                    ...Object.keys(targets).map((name): Probe => ({
                        name,
                        kind: "redis",
                        timeoutSeconds: 20,
                        secrets: name,
                    })),
                ),
            );
            const expected = [
                /^✓ well: Healthy \(PONG in N ms\)$/,
                /^✗ password: Unhealthy \(WRONGPASS /,
                /^✗ name: Unhealthy \(TLS failure \(ERR_TLS_CERT_ALTNAME_INVALID\)\)$/,
                /^✗ plain: Unhealthy \(TLS failure/,
                /^✗ away: Unhealthy \(connection refused/,
            ];
            expected.forEach((form, index) => assert.match(lines[1 + index]!, form));
            // The authority is trusted only if this process is configured with it.
            assert.match(
                await found({ name: "Redis", kind: "redis", timeoutSeconds, secrets: "well" }),
                /^✗ Redis: Unhealthy \(TLS failure \(UNABLE_TO_VERIFY/,
            );
        });
    });

    /** A public host, as its checkers see it. */
    const fromOutside: Probe = {
        name: "Chat UI at mcp.msil.com",
        kind: "outside",
        timeoutSeconds,
        file: "chat-ui.mcp.msil.com",
    };
    const ANSWERED = "Success: HTTP Status Code 200, OK. Resolved IP: 203.0.113.7.";

    describe("from outside", () => {
        const told = async (...observations: string[]) => {
            const HealthCheckObservations = observations.map((Status) => ({ StatusReport: { Status } }));
            writeFileSync(
                join(folder, "handover", "chat-ui.mcp.msil.com"),
                JSON.stringify({ HealthCheckObservations }),
            );
            return (await found(fromOutside)).replace("Chat UI at mcp.msil.com: ", "");
        };
        const REFUSED = "Failure: The endpoint refused the connection.";
        const times = (count: number, status: string) => Array<string>(count).fill(status);

        it("is healthy while more than 18 % of the checkers reach it, as Route 53 sees it", async () => {
            assert.equal(await told(...times(16, ANSWERED)), "✓ Healthy (16 of 16 checkers reach it)");
            assert.equal(
                await told(...times(19, ANSWERED), ...times(81, REFUSED)),
                `✓ Healthy (19 of 100 checkers reach it; ${REFUSED})`,
            );
            assert.equal(
                await told(...times(18, ANSWERED), ...times(82, REFUSED)),
                `✗ Unhealthy (18 of 100 checkers reach it; ${REFUSED})`,
            );
        });

        it("is unhealthy before the first check, and without a result", async () => {
            assert.equal(await told(), "✗ Unhealthy (0 of 0 checkers reach it)");
            rmSync(join(folder, "handover", "chat-ui.mcp.msil.com"));
            assert.match(await found(fromOutside), /✗ .*Unhealthy \(Route 53 has not reported\)$/);
        });

        it("reports whether it is reached, without a duration", async () => {
            await told(ANSWERED);
            await run(plan(fromOutside));
            assert.deepEqual(published(), { "Chat UI at mcp.msil.com Healthy": 1 });
        });
    });

    const noS3 = whyNoS3();
    (noS3 ? describe.skip : describe)(`Route 53's answers${noS3 ? ` (skipped: ${noS3})` : ""}`, () => {
        let aws: S3;
        before(async () => {
            aws = await startS3("unused");
        });
        after(() => aws.stop());

        const ask = async (checks: string) => {
            const child = spawn("bash", [join(root, "jobs", "outside.sh")], {
                env: {
                    ...aws.env,
                    PATH: process.env["PATH"],
                    HANDOVER: join(folder, "handover"),
                    CHECKS: checks,
                },
            });
            let output = "";
            for (const stream of [child.stdout, child.stderr]) {
                stream.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
            }
            const [status] = (await once(child, "close")) as [number];
            return { status, output };
        };
        const observation = (status: string) =>
            `<HealthCheckObservation><Region>us-east-1</Region><IPAddress>203.0.113.9</IPAddress><StatusReport><Status>${status}</Status><CheckedTime>2026-01-31T10:30:00Z</CheckedTime></StatusReport></HealthCheckObservation>`;

        it("are left as the probe reads them, each check's in its file", async () => {
            aws.intervene = (_, url) => ({
                status: 200,
                body: `<GetHealthCheckStatusResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><HealthCheckObservations>${observation(
                    url.includes("/id-1/") ? ANSWERED : "Failure: no answer",
                )}${observation(ANSWERED)}</HealthCheckObservations></GetHealthCheckStatusResponse>`,
            });
            const { status, output } = await ask("chat-ui.mcp.msil.com id-1\nother id-2");
            assert.equal(status, 0, output);
            assert.match(await found(fromOutside), /✓ .*\(2 of 2 checkers reach it\)$/);
            assert.match(
                await found({ ...fromOutside, file: "other" }),
                /✓ .*\(1 of 2 checkers reach it; Failure: no answer\)$/,
            );
        });

        it("that do not come leave the others, and nothing half-written", async () => {
            aws.intervene = (_, url) =>
                url.includes("/id-1/")
                    ? {
                          status: 403,
                          body: "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>",
                      }
                    : {
                          status: 200,
                          body: `<GetHealthCheckStatusResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><HealthCheckObservations>${observation(ANSWERED)}</HealthCheckObservations></GetHealthCheckStatusResponse>`,
                      };
            const { status, output } = await ask("chat-ui.mcp.msil.com id-1\nother id-2");
            assert.equal(status, 0, output);
            assert.match(output, /AccessDenied[^]*✗ Route 53 does not tell of chat-ui\.mcp\.msil\.com/);
            assert.match(await found(fromOutside), /has not reported/);
            assert.match(await found({ ...fromOutside, file: "other" }), /✓/);
        });
    });

    it("publishes the count that the step before left, and none if it left none", async () => {
        const url = await http(answering(200));
        const counting = {
            ...plan({ name: "APIM", kind: "http", timeoutSeconds, url }),
            idleConnections: "idle-connections",
        };
        await run(counting);
        assert.equal(published()["PostgreSQL IdleConnections"], undefined);
        writeFileSync(join(folder, "handover", "idle-connections"), "12\n");
        await run(counting);
        assert.equal(published()["PostgreSQL IdleConnections"], 12);
    });

    describe("published by the next step", () => {
        /** Runs the script with an AWS command line that prints its input. */
        function publish(status: number) {
            const aws = join(folder, "bin", "aws");
            writeFileSync(
                aws,
                `#!/bin/sh\necho "$@" > "${folder}/asked"\ncp "\${4#file://}" "${folder}/sent"\nexit ${status}\n`,
            );
            chmodSync(aws, 0o755);
            const result = spawnSync("bash", [join(root, "jobs", "metrics.sh")], {
                encoding: "utf8",
                env: {
                    PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter),
                    HANDOVER: join(folder, "handover"),
                },
            });
            return { status: result.status, stderr: result.stderr };
        }

        const handover = () => join(folder, "handover");
        const metrics = [{ name: "Healthy", component: "APIM", value: 0, unit: "None" as const }];

        it("are what was found; then the step ends as the check did", () => {
            handOver(handover(), { namespace: "MCP/test", metrics, failure: undefined });
            assert.deepEqual(publish(0), { status: 0, stderr: "" });
            assert.equal(
                readFileSync(join(folder, "asked"), "utf8").trim(),
                `cloudwatch put-metric-data --cli-input-json file://${handover()}/metrics.json`,
            );
            handOver(handover(), { namespace: "MCP/test", metrics, failure: "FAILED 1 of 1: APIM." });
            rmSync(join(folder, "sent"));
            assert.deepEqual(publish(0), { status: 1, stderr: "FAILED 1 of 1: APIM.\n" });
            assert.match(readFileSync(join(folder, "sent"), "utf8"), /"APIM"/);
        });

        it("fail the step when AWS refuses them", () => {
            handOver(handover(), { namespace: "MCP/test", metrics, failure: undefined });
            assert.equal(publish(254).status, 254);
        });
    });

    it("says in one line who is unhealthy", () => {
        assert.deepEqual(
            healthVerdict([
                { name: "APIM", healthy: false, words: "no answer within 10 s" },
                { name: "Redis", healthy: true, words: "PONG" },
            ]),
            { passed: false, line: "FAILED 1 of 2: APIM (no answer within 10 s)." },
        );
    });
});
