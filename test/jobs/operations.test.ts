import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { createServer } from "node:https";
import { type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundledJob } from "../../jobs/bundle.cjs";
import { type CleanupPlan, parseCleanupPlan } from "../../jobs/cacheCleanup";
import { type DiagnosticsPlan, runDiagnostics } from "../../jobs/diagnostics";
import { runJwksCache } from "../../jobs/jwksCache";
import { Kubernetes } from "../../jobs/lib/kubernetes";
import { type Issued, temporaryAuthority } from "../certificates";
import { runProgram } from "./program";
import { type RedisServer, startRedis, whyNoRedis } from "./redis";
import { listen } from "./servers";

const PASSWORD = "planted-password";
const DAY_SECONDS = 86_400;

describe("operations", () => {
    const { issue, remove } = temporaryAuthority();
    const folder = mkdtempSync(join(tmpdir(), "mcp-operations-"));
    const closers: (() => void)[] = [];
    let authority: Issued;
    let served: Issued;

    before(() => {
        authority = issue("authority", { authority: true });
        served = issue("server", { hosts: ["localhost"], issuer: authority });
        mkdirSync(join(folder, "secrets", "cache"), { recursive: true });
    });
    afterEach(() => {
        for (const close of closers.splice(0)) close();
    });
    after(() => {
        remove();
        rmSync(folder, { recursive: true });
    });

    async function listening(server: Server, address?: string): Promise<number> {
        const { port, close } = await listen(server, address);
        closers.push(close);
        return port;
    }

    /** An API server that answers these paths of its namespace, and refuses everything else. */
    async function cluster(answers: Record<string, unknown>): Promise<Kubernetes> {
        const server = createServer(
            { cert: served.certificate, key: served.privateKey },
            (request, response) => {
                const path = decodeURIComponent(request.url!).replace("/namespaces/mcp-test", "");
                const answer = answers[path];
                if (request.headers.authorization !== "Bearer t0ken" || request.method !== "GET") {
                    response.writeHead(401).end("{}");
                } else if (answer === undefined) {
                    response.writeHead(403).end("{}");
                } else {
                    response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
                }
            },
        );
        const port = await listening(server);
        return new Kubernetes({
            server: { host: "localhost", port, ca: authority.certificate },
            token: () => "t0ken",
            namespace: "mcp-test",
            log: () => undefined,
        });
    }

    const PODS = "/api/v1/pods?labelSelector=app=mcp-server";
    const pod = (name: string, podIP?: string, metadata: object = {}, phase = "Running") => ({
        metadata: { name, ...metadata },
        status: { phase, podIP },
    });

    /** One server for all pods, which are at 127.0.0.2 and on. */
    async function pods(answer: (ip: string, request: IncomingMessage) => [status: number, body: string]) {
        const server = createHttpServer((request, response) => {
            const [status, body] = answer(request.socket.localAddress!, request);
            response.writeHead(status).end(body);
        });
        return listening(server, "0.0.0.0");
    }

    const context = () => {
        const lines: string[] = [];
        return { lines, log: (line: string) => void lines.push(line), signal: new AbortController().signal };
    };

    describe("clear JWKS cache", () => {
        const plan = (port: number) => ({
            namespace: "mcp-test",
            app: "mcp-server",
            port,
            path: "/debug/clear-jwks-cache",
            deadlineSeconds: 60,
        });

        it("asks every running pod itself, ready or not, and no other", async () => {
            const asked: string[] = [];
            const port = await pods((ip, { method, url }) => {
                asked.push(`${method} ${ip}${url}`);
                return [204, ""];
            });
            const api = await cluster({
                [PODS]: {
                    items: [
                        pod("one", "127.0.0.2"),
                        pod("two", "127.0.0.3"),
                        pod("new", undefined, {}, "Pending"),
                        pod("old", "127.0.0.4", { deletionTimestamp: "2026-01-01T00:00:00Z" }),
                    ],
                },
            });
            const around = context();
            const verdict = await runJwksCache(plan(port), around, () => api);
            assert.deepEqual(verdict, { passed: true, line: "PASSED 2 of 2 pods cleared." });
            assert.deepEqual(asked, [
                "POST 127.0.0.2/debug/clear-jwks-cache",
                "POST 127.0.0.3/debug/clear-jwks-cache",
            ]);
            assert.deepEqual(around.lines, ["✓ one: JWKS cache cleared", "✓ two: JWKS cache cleared"]);
        });

        it("goes on after a pod that fails, and fails itself", async () => {
            const port = await pods((ip) => (ip === "127.0.0.2" ? [500, ""] : [200, ""]));
            const api = await cluster({
                [PODS]: { items: [pod("one", "127.0.0.2"), pod("two", "127.0.0.3")] },
            });
            const around = context();
            const verdict = await runJwksCache(plan(port), around, () => api);
            assert.deepEqual(verdict, { passed: false, line: "FAILED 1 of 2 pods cleared." });
            assert.deepEqual(around.lines, ["✗ one: status 500", "✓ two: JWKS cache cleared"]);
        });

        it("fails when there is no pod, or no right to list them", async () => {
            const none = await cluster({ [PODS]: { items: [] } });
            assert.deepEqual(await runJwksCache(plan(1), context(), () => none), {
                passed: false,
                line: "FAILED no pod of mcp-server is running.",
            });
            const forbidden = await cluster({});
            const { line } = await runJwksCache(plan(1), context(), () => forbidden);
            assert.match(line, /^FAILED the ServiceAccount lacks the right to list pods in mcp-test/);
        });
    });

    describe("diagnostics", () => {
        const plan = (port: number, more: Partial<DiagnosticsPlan> = {}): DiagnosticsPlan => ({
            namespace: "mcp-test",
            app: "mcp-server",
            port,
            metrics: "/metrics",
            jwksStatus: "/debug/jwks-status",
            probes: [
                { name: "APIM", kind: "http", timeoutSeconds: 30, url: `http://127.0.0.1:${port}/health` },
            ],
            deadlineSeconds: 120,
            ...more,
        });
        const answers = {
            [PODS]: { items: [pod("one", "127.0.0.2")] },
            "/api/v1/pods/one/log?tailLines=100": "INFO all well\nERROR backend away\nMemory: 1 Gi\n",
            "/apis/metrics.k8s.io/v1beta1/pods": {
                items: [
                    {
                        metadata: { name: "small" },
                        containers: [{ usage: { cpu: "1500000n", memory: "10240Ki" } }],
                    },
                    {
                        metadata: { name: "large" },
                        containers: [
                            { usage: { cpu: "250m", memory: "512Mi" } },
                            { usage: { cpu: "1", memory: "1Gi" } },
                        ],
                    },
                ],
            },
            "/apis/autoscaling/v2/horizontalpodautoscalers": {
                items: [
                    {
                        metadata: { name: "mcp-server-blue" },
                        spec: {
                            minReplicas: 3,
                            maxReplicas: 12,
                            metrics: [{ resource: { name: "cpu", target: { averageUtilization: 70 } } }],
                        },
                        status: {
                            currentReplicas: 12,
                            currentMetrics: [
                                { resource: { name: "cpu", current: { averageUtilization: 95 } } },
                            ],
                        },
                    },
                ],
            },
        };
        const page = [
            "# HELP db_pool_size Connections.",
            "db_pool_size 20",
            'circuit_breaker_state{backend="apim"} 1',
            'request_duration_seconds_bucket{le="1"} 7',
            "request_duration_seconds_sum 9.5",
            "process_threads 4",
        ].join("\n");
        const directories = () => {
            const handover = mkdtempSync(join(folder, "handover-"));
            return { handover, secrets: join(folder, "secrets") };
        };

        it("look at everything, once", async () => {
            const port = await pods((_, { url }) =>
                url === "/metrics"
                    ? [200, page]
                    : [200, url === "/debug/jwks-status" ? '{\n "keys": 3 }' : ""],
            );
            const around = context();
            const api = await cluster(answers);
            const verdict = await runDiagnostics(plan(port), { ...around, ...directories(), cluster: api });
            assert.deepEqual(verdict, { passed: true, line: "PASSED everything was looked at." });
            assert.deepEqual(
                around.lines.map((line) => line.replace(/ in \d+ ms/, " in N ms")),
                [
                    "=== Error lines of the last 100 of each pod (4.3.1) ===",
                    "  one: ERROR backend away",
                    "=== Lines about memory (4.3.3) ===",
                    "  one: Memory: 1 Gi",
                    "=== Pods by memory, with CPU (4.3.3) ===",
                    "  large: 1536 Mi, 1250 m",
                    "  small: 10 Mi, 2 m",
                    "=== Autoscalers (4.3.3) ===",
                    "  mcp-server-blue: 12 of 3 to 12 replicas, cpu 95 of 70 %",
                    "=== Circuit breaker, pool, requests and errors of each pod (4.3.1, 4.3.2, 6.3) ===",
                    "  one: db_pool_size 20",
                    '  one: circuit_breaker_state{backend="apim"} 1',
                    "  one: request_duration_seconds_sum 9.5",
                    "=== JWKS cache of each pod (4.3.4) ===",
                    '  one: { "keys": 3 }',
                    "=== APIM (4.3.1, 4.3.4, 6.3) ===",
                    "  ✓ 200 in N ms",
                ],
            );
        });

        it("go on after what cannot be looked at, and name it in the end with the step before's", async () => {
            const port = await pods((_, { url }) => (url === "/metrics" ? [200, page] : [500, ""]));
            const around = context();
            const api = await cluster({ [PODS]: answers[PODS] });
            const where = directories();
            writeFileSync(join(where.handover, "failed"), "Statements by total time (6.3)\n");
            const { passed, line } = await runDiagnostics(plan(port), { ...around, ...where, cluster: api });
            assert.equal(passed, false);
            assert.equal(
                line,
                "FAILED not looked at: Statements by total time (6.3); Error lines of the last 100 of each pod (4.3.1); " +
                    "Lines about memory (4.3.3); Pods by memory, with CPU (4.3.3); Autoscalers (4.3.3); " +
                    "JWKS cache of each pod (4.3.4).",
            );
            assert.ok(around.lines.includes("  one: db_pool_size 20"));
            // It was looked at: that APIM is away is what was found.
            assert.ok(around.lines.includes("  ✗ expected status 200, found 500"));
        });
    });

    const noRedis = whyNoRedis();
    (noRedis ? describe.skip : describe)(
        `clean up the cache${noRedis ? ` (skipped: ${noRedis})` : ""}`,
        () => {
            let server: RedisServer;
            before(async () => {
                server = await startRedis(served, PASSWORD);
                writeFileSync(join(folder, "cacheCleanup.js"), bundledJob("cacheCleanup"));
            });
            after(() => server?.stop());
            beforeEach(() => {
                server.cli("FLUSHALL");
                server.cli("CONFIG", "SET", "maxmemory-policy", "noeviction");
                for (const [file, content] of Object.entries({
                    host: "localhost",
                    port: server.port,
                    password: PASSWORD,
                })) {
                    writeFileSync(join(folder, "secrets", "cache", file), String(content));
                }
            });

            const plan: CleanupPlan = {
                pattern: "cache:*",
                idleSeconds: DAY_SECONDS,
                batch: 1000,
                dryRun: false,
                secrets: "cache",
                deadlineSeconds: 120,
            };
            /** Makes keys that have been idle for so long, as a restored snapshot does. */
            const keys = (prefix: string, count: number, idle: number) =>
                server.cli(
                    "EVAL",
                    `redis.call('SET', 'seed', 'x'); local dump = redis.call('DUMP', 'seed'); redis.call('DEL', 'seed')
                 for i = 1, ${count} do redis.call('RESTORE', '${prefix}' .. i, 0, dump, 'IDLETIME', ${idle}) end`,
                    "0",
                );

            async function run(more: Partial<CleanupPlan> = {}, options: string[] = []) {
                const path = join(folder, "cleanup.json");
                writeFileSync(path, JSON.stringify({ ...plan, ...more }));
                const { code: status, output } = await runProgram(
                    [...options, join(folder, "cacheCleanup.js"), path],
                    {
                        env: {
                            SECRETS: join(folder, "secrets"),
                            NODE_EXTRA_CA_CERTS: authority.files.certificate,
                        },
                    },
                );
                assert.ok(!output.includes("planted"), `a secret is in: ${output}`);
                return { status, line: output.trim().split("\n").at(-1) };
            }

            it("removes what has been idle for a day, and nothing else", async () => {
                keys("cache:old:", 2500, DAY_SECONDS + 100);
                keys("cache:young:", 30, DAY_SECONDS - 3600);
                keys("session:old:", 20, 10 * DAY_SECONDS);
                assert.deepEqual(await run({ dryRun: true }), {
                    status: 0,
                    line: "PASSED 2500 of 2530 keys would be removed.",
                });
                assert.equal(server.cli("DBSIZE"), "2550");
                assert.deepEqual(await run(), { status: 0, line: "PASSED 2500 of 2530 keys removed." });
                assert.equal(server.cli("DBSIZE"), "50");
                assert.equal(server.cli("EXISTS", "cache:young:30", "session:old:20"), "2");
                assert.deepEqual(await run(), { status: 0, line: "PASSED 0 of 30 keys removed." });
            });

            it("is content with an empty cache", async () => {
                assert.deepEqual(await run(), { status: 0, line: "PASSED 0 of 0 keys removed." });
            });

            it("takes keys of any bytes", async () => {
                keys("cache:\\255\\0\\r\\n", 1, 2 * DAY_SECONDS);
                assert.deepEqual(await run(), { status: 0, line: "PASSED 1 of 1 keys removed." });
                assert.equal(server.cli("DBSIZE"), "0");
            });

            it("remembers a batch of a million keys, and no more", async function () {
                this.timeout(300_000);
                for (let part = 0; part < 4; part += 1) {
                    keys(`cache:a-key-as-long-as-they-come:${part}:`, 250_000, 2 * DAY_SECONDS);
                }
                // A list of all keys alone would not fit.
                assert.deepEqual(await run({}, ["--max-old-space-size=24"]), {
                    status: 0,
                    line: "PASSED 1000000 of 1000000 keys removed.",
                });
                assert.equal(server.cli("DBSIZE"), "0");
            });

            it("fails where Redis does not know how long a key was idle", async () => {
                server.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu");
                server.cli("SET", "cache:1", "x");
                const { status, line } = await run();
                assert.equal(status, 1);
                assert.match(line!, /^FAILED cache cleanup: ERR An LFU maxmemory policy is selected/);
            });

            it("fails with a wrong password, and refuses a plan that would remove everything", async () => {
                writeFileSync(join(folder, "secrets", "cache", "password"), "planted-wrong");
                const { status, line } = await run();
                assert.equal(status, 1);
                assert.match(line!, /^FAILED cache cleanup: WRONGPASS/);
                assert.throws(() => parseCleanupPlan({ ...plan, idleSeconds: 0 }), /idleSeconds: found 0/);
                assert.throws(() => parseCleanupPlan({ ...plan, pattern: "" }), /pattern: found ""/);
            });
        },
    );
});
