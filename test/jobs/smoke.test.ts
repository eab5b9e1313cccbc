import * as assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { runSmoke, type SmokePlan, type SmokeRequest } from "../../jobs/release/smokeRequests";
import { type Run, runProgram, type Watch } from "./program";
import { listen } from "./servers";
import { smokeVerdict } from "./smokeProgram";

type Overrides = Partial<Omit<SmokeRequest, "expect">> & { expect?: Partial<SmokeRequest["expect"]> };

interface TimedRun extends Run {
    /** From spawn to exit, in milliseconds. */
    took: number;
}

describe("smoke gate", function () {
    this.timeout(10_000);

    let folder: string;
    let lastWords: string;
    let plans = 0;
    /** Servers of the running test. */
    const closers: (() => void)[] = [];
    /** The one long run, of three seconds, goes on beside the other tests. */
    let recovery: Promise<TimedRun>;
    const arrivals: { time: number; socket: Socket }[] = [];
    let closeRecovery: () => void;

    before(async () => {
        folder = mkdtempSync(join(tmpdir(), "smoke-gate-"));
        lastWords = join(folder, "termination-log");
        const { outputFiles } = buildSync({
            entryPoints: [join(__dirname, "smokeProgram.ts")],
            bundle: true,
            platform: "node",
            target: "node20",
            write: false,
        });
        const bundle = outputFiles[0]!.text;
        assert.ok(bundle.includes('"/dev/termination-log"'));
        writeFileSync(
            join(folder, "smoke.js"),
            bundle.replaceAll('"/dev/termination-log"', JSON.stringify(lastWords)),
        );

        const target = await serve(({ socket }, response) => {
            arrivals.push({ time: performance.now(), socket });
            response.writeHead(arrivals.length < 3 ? 503 : 200).end();
        });
        closeRecovery = closers.pop()!;
        recovery = gate(plan(target, request({ attempts: 3 })));
    });

    afterEach(() => {
        for (const close of closers.splice(0)) close();
        rmSync(lastWords, { force: true });
    });

    after(() => {
        closeRecovery();
        rmSync(folder, { recursive: true });
    });

    async function listening(server: Server): Promise<string> {
        const { port, close } = await listen(server);
        closers.push(close);
        return `http://127.0.0.1:${port}`;
    }

    const serve = (answer: RequestListener) => listening(createHttpServer(answer));

    /** A server of bytes: `answer` gets the connection once the request has begun to arrive. */
    const serveRaw = (answer: (socket: Socket) => void) =>
        listening(createServer((socket) => void socket.once("data", () => answer(socket))));

    const request = ({ expect, ...rest }: Overrides = {}): SmokeRequest => ({
        name: `${rest.method ?? "GET"} ${rest.path ?? "/health"}`,
        method: "GET",
        path: "/health",
        headers: {},
        timeoutSeconds: 5,
        attempts: 1,
        ...rest,
        expect: { status: 200, ...expect },
    });

    const plan = (target: string, ...requests: SmokeRequest[]): SmokePlan => ({
        subject: "mcp-server v2.0.3",
        target,
        deadlineSeconds: 30,
        requests,
    });

    /** Runs the bundle as the Job does; `watch` gets the process and what it has printed so far. */
    async function program(args: string[], watch?: Watch): Promise<TimedRun> {
        const start = performance.now();
        const run = await runProgram([join(folder, "smoke.js"), ...args], { watch });
        return { ...run, took: performance.now() - start };
    }

    function planFile(content: unknown): string {
        const path = join(folder, `plan-${(plans += 1)}.json`);
        writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
        return path;
    }

    const gate = (content: SmokePlan, watch?: Watch) => program([planFile(content)], watch);

    /** What one run says about each of these requests, the indentation aside. */
    async function outcomes(target: string, ...requests: Overrides[]): Promise<string[]> {
        const { code, lines, out, err } = await gate(plan(target, ...requests.map(request)));
        assert.equal(err, "");
        const failed = lines.filter((line) => line.startsWith("  ✗")).length;
        assert.equal(code, failed === 0 ? 0 : 1, out);
        const verdict = failed === 0 ? "PASSED" : `FAILED ${failed}`;
        assert.ok(lines.at(-1)!.startsWith(`${verdict} `), out);
        return lines
            .slice(1, -1)
            .join("\n")
            .split(/\n? {2}(?=[✓✗])/)
            .slice(1);
    }

    describe("what it asks", () => {
        it("passes when every answer is as planned, and says so where Kubernetes looks", async () => {
            const target = await serve((_, response) => response.end("fine"));
            writeFileSync(lastWords, "something longer that was there before.".repeat(5));
            const run = await gate(plan(`${target}/`, request(), request({ path: "/ready" })));
            assert.equal(run.code, 0, run.out);
            assert.equal(run.err, "");
            assert.match(
                run.out.replaceAll(/\d+ ms/g, "N ms"),
                new RegExp(
                    `^smoke mcp-server v2\\.0\\.3 at ${target}/\n` +
                        "  ✓ GET /health: 200 in N ms\n  ✓ GET /ready: 200 in N ms\n" +
                        "PASSED 2 of 2 requests: mcp-server v2\\.0\\.3 answers as planned\\.\n$",
                ),
            );
            assert.equal(readFileSync(lastWords, "utf8"), run.lines.at(-1));
        });

        it("sends method, path, headers and body", async () => {
            let seen!: IncomingMessage;
            let body = "";
            const target = await serve((incoming, response) => {
                seen = incoming;
                incoming.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
                incoming.on("end", () => response.writeHead(201).end());
            });
            const headers = { "Content-Type": "application/json", "X-Caller": "smoke" };
            const [line] = await outcomes(`${target}/base/`, {
                method: "POST",
                path: "/mcp?a=1",
                headers,
                body: '{"id":"ä"}',
                expect: { status: 201 },
            });
            assert.match(line!, /^✓ POST/);
            assert.equal(seen.method, "POST");
            assert.equal(seen.url, "/base/mcp?a=1");
            assert.equal(seen.headers["content-type"], "application/json");
            assert.equal(seen.headers["x-caller"], "smoke");
            assert.equal(body, '{"id":"ä"}');
        });

        it("prints each line at once", async () => {
            let printed = () => undefined as void;
            const first = new Promise<void>((resolve) => (printed = resolve));
            const target = await serve((incoming, response) => {
                if (incoming.url === "/first") response.end();
                else void first.then(() => response.end());
            });
            const run = await gate(
                plan(target, request({ path: "/first" }), request({ path: "/second" })),
                (_, out) => {
                    if (out.includes("✓ GET /first")) printed();
                },
            );
            assert.equal(run.code, 0, run.out);
        });

        it("asks on after a failure", async () => {
            const paths: string[] = [];
            const target = await serve((incoming, response) => {
                paths.push(incoming.url!);
                response.writeHead(incoming.url === "/b" ? 500 : 200).end();
            });
            const run = await gate(plan(target, ...["/a", "/b", "/c"].map((path) => request({ path }))));
            assert.equal(run.code, 1);
            assert.deepEqual(paths, ["/a", "/b", "/c"]);
            assert.deepEqual(
                run.lines.slice(1).map((line) => line.trim()[0]),
                ["✓", "✗", "✓", "F"],
            );
            assert.match(run.lines.at(-1)!, /^FAILED 1 of 3 requests: /);
        });

        it("does not follow redirects", async () => {
            const paths: string[] = [];
            const target = await serve((incoming, response) => {
                paths.push(incoming.url!);
                response.writeHead(incoming.url === "/new" ? 200 : 302, { location: "/new" }).end();
            });
            const [followed, taken] = await outcomes(
                target,
                {},
                { expect: { status: 302, headers: { location: "/new" } } },
            );
            assert.match(followed!, /expected status 200, found 302/);
            assert.match(taken!, /^✓/);
            assert.deepEqual(paths, ["/health", "/health"]);
        });
    });

    describe("what it expects", () => {
        it("a status", async () => {
            const target = await serve((_, response) => response.writeHead(503).end('{"status":"starting"}'));
            assert.deepEqual(await outcomes(target, {}), [
                "✗ GET /health: expected status 200, found 503 (attempt 1 of 1)\n" +
                    '      body: {"status":"starting"}',
            ]);
        });

        it("headers, their names in any case", async () => {
            const target = await serve((_, response) =>
                response.setHeader("X-Release", "v2.0.2; build 7").end(),
            );
            const [met, unmet] = await outcomes(
                target,
                { expect: { headers: { "x-RELEASE": "build 7" } } },
                { expect: { headers: { "X-Release": "v2.0.3", "X-Other": "" } } },
            );
            assert.match(met!, /^✓/);
            assert.equal(
                unmet,
                '✗ GET /health: expected header X-Release to contain "v2.0.3", found "v2.0.2; build 7"; ' +
                    'expected header X-Other to contain "", found nothing (attempt 1 of 1)',
            );
        });

        it("a text in the body", async () => {
            const target = await serve((_, response) => response.end("# requests_total 5"));
            const [met, unmet] = await outcomes(
                target,
                { expect: { bodyContains: "requests_total" } },
                { expect: { bodyContains: "errors_total" } },
            );
            assert.match(met!, /^✓/);
            assert.match(
                unmet!,
                /expected the body to contain "errors_total", not found \(attempt.*\n {6}body: # requests_total 5$/,
            );
        });

        it("values in a JSON body", async () => {
            const body = { ok: true, n: 1, none: null, tools: [{ name: "a" }, { name: "b", "x-y": "" }] };
            const target = await serve((_, response) => response.end(JSON.stringify(body)));
            const [met, unmet] = await outcomes(
                target,
                {
                    expect: {
                        json: { ok: true, n: 1, none: null, "tools.0.name": "a", "tools.1.x-y": "" },
                    },
                },
                {
                    expect: {
                        json: { ok: "true", n: 2, "tools.2.name": "c", gone: null, tools: 2, toString: "" },
                    },
                },
            );
            assert.match(met!, /^✓/);
            assert.deepEqual(
                unmet!
                    .split("\n")[0]!
                    .split(/: expected |; expected | \(attempt/)
                    .slice(1, -1),
                [
                    'JSON ok to be "true", found true',
                    "JSON n to be 2, found 1",
                    'JSON tools.2.name to be "c", found nothing',
                    "JSON gone to be null, found nothing",
                    'JSON tools to be 2, found [{"name":"a"},{"name":"b","x-y":""}]',
                    'JSON toString to be "", found nothing',
                ],
            );
        });

        it("a body that is JSON at all", async () => {
            const target = await serve((_, response) => response.end("<html>"));
            const [unmet] = await outcomes(target, { expect: { json: { ok: true } } });
            assert.match(unmet!, /: expected a JSON body, found text that is not JSON \(attempt/);
        });

        it("everything at once, and lists all that is unmet", async () => {
            const target = await serve((_, response) => response.writeHead(500).end("{}"));
            const [unmet] = await outcomes(target, {
                expect: { headers: { "x-a": "1" }, bodyContains: "fine", json: { ok: true } },
            });
            assert.match(
                unmet!,
                /status 200, found 500; .*header x-a .*; .*to contain "fine", not found; .*JSON ok .* \(attempt/,
            );
        });
    });

    describe("what it shows of an answer", () => {
        it("only its first 200 characters, on one line, without control characters", async () => {
            const target = await serve((_, response) => {
                response.writeHead(500).end(`a\u001b[31m\u0000\u009b\n\tb${"😀".repeat(300)}`);
            });
            const [unmet] = await outcomes(target, {});
            assert.deepEqual(unmet!.split("\n").slice(1), [`      body: a[31m b${"😀".repeat(193)}`]);
        });

        it("nothing beyond the first MiB, which is all it reads", async () => {
            const mebibyte = 1024 * 1024;
            const target = await serve((incoming, response) => {
                const more = () => {
                    while (response.write("y".repeat(65_536)));
                    response.once("drain", more);
                };
                if (incoming.url === "/endless") more();
                else if (incoming.url === "/whole") response.end('{"ok":true}'.padStart(mebibyte));
                else if (incoming.url === "/text") response.end('{"ok":true}'.padStart(mebibyte + 1));
                else response.end('{"ok":true}'.padEnd(mebibyte) + "{");
            });
            const start = performance.now();
            const [whole, text, json, endless] = await outcomes(
                target,
                { path: "/whole", expect: { bodyContains: "}", json: { ok: true } } },
                { path: "/text", expect: { bodyContains: "}" } },
                { path: "/json", expect: { json: { ok: true } } },
                { path: "/endless" },
            );
            assert.match(whole!, /^✓/);
            assert.match(text!, /^✗.*to contain "}", not found in its first MiB/);
            assert.match(json!, /^✗.*expected a JSON body, found more than 1 MiB/);
            assert.match(endless!, /^✓ GET \/endless: 200/);
            assert.ok(performance.now() - start < 4000);
        });

        it("no header value that was sent, wherever it comes back", async () => {
            const target = await serve((incoming, response) => {
                const token = incoming.headers.authorization!.split(" ")[1]!;
                response.setHeader("x-echo", token);
                response.end(
                    JSON.stringify({
                        token,
                        key: incoming.headers["x-key"],
                        short: "abc12",
                        all: incoming.headers,
                    }),
                );
            });
            const [unmet] = await outcomes(target, {
                headers: {
                    "X-Part": "s3cr3t",
                    "X-Short": "Basic abc12",
                    Authorization: "Bearer s3cr3t-t0ken",
                    "X-Key": ' k"ey\\1 ',
                    "X-Debug": "1",
                },
                expect: {
                    headers: { "x-echo": "another" },
                    bodyContains: "not s3cr3t-t0ken",
                    json: { token: "another", key: "another" },
                },
            });
            assert.match(unmet!, /x-echo to contain "another", found "•••"/);
            assert.match(unmet!, /to contain "not •••"/);
            assert.match(unmet!, /JSON token to be "another", found "•••"/);
            assert.match(unmet!, /body: \{"token":"•••","key":"•••"/);
            assert.match(unmet!, /"x-debug":"1"/);
            assert.ok(!/s3cr3t|t0ken|abc12|ey\\/.test(unmet!), unmet);
        });

        it("but media types, which are no secrets", async () => {
            const target = await serve((_, response) =>
                response.setHeader("content-type", "application/json").end(),
            );
            const [unmet] = await outcomes(target, {
                headers: { "Content-Type": "application/json" },
                expect: { headers: { "content-type": "text/event-stream" } },
            });
            assert.match(unmet!, /to contain "text\/event-stream", found "application\/json"/);
        });
    });

    describe("when there is no answer", () => {
        it("a slow server times out, as does a body that does not end", async () => {
            const target = await serve((incoming, response) => {
                if (incoming.url === "/half") response.writeHead(500).write("half");
            });
            const timeoutSeconds = 0.4;
            assert.deepEqual(await outcomes(target, { timeoutSeconds }, { timeoutSeconds, path: "/half" }), [
                "✗ GET /health: timed out after 0.4 s (attempt 1 of 1)",
                "✗ GET /half: expected status 200, found 500; timed out after 0.4 s before the body ended " +
                    "(attempt 1 of 1)\n      body: half",
            ]);
        });

        it("connection refused", async () => {
            const target = await serve(() => undefined);
            closers.pop()!();
            const [unmet] = await outcomes(target, {});
            assert.match(unmet!, /: connection refused \(ECONNREFUSED\) \(attempt/);
        });

        it("name not found", async () => {
            // Longer than a DNS label may be, so that no name server is queried.
            const [unmet] = await outcomes(`http://${"a".repeat(64)}.invalid`, {});
            assert.match(unmet!, /: name not found \(ENOTFOUND\) \(attempt/);
        });

        it("connection dropped, at once or halfway", async () => {
            let connections = 0;
            const target = await serveRaw((socket) => {
                connections += 1;
                if (connections === 1) socket.resetAndDestroy();
                else socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
            });
            const [atOnce, halfway] = await outcomes(target, {}, { expect: { bodyContains: "half" } });
            assert.match(atOnce!, /: connection dropped \(\w+\) \(attempt 1 of 1\)$/);
            assert.match(
                halfway!,
                /: connection dropped \(\w+\) before the body ended \(attempt 1 of 1\)\n {6}body: half$/,
            );
        });

        it("TLS failure, or something that is not HTTP", async () => {
            const target = await serveRaw((socket) => socket.end("220 mail.example ESMTP\r\n"));
            const [[plain], [tls]] = await Promise.all([
                outcomes(target, {}),
                outcomes(target.replace("http:", "https:"), {}),
            ]);
            assert.match(plain!, /: an answer that is not HTTP \(HPE_\w+\) \(attempt/);
            assert.match(tls!, /: TLS failure \(ERR_SSL_WRONG_VERSION_NUMBER\) \(attempt/);
        });
    });

    describe("when it has to end", () => {
        it("fails at the deadline, with all that is left", async () => {
            const target = await serve(() => undefined);
            const content = plan(target, request({ attempts: 5 }), request({ path: "/never" }));
            const run = await gate({ ...content, deadlineSeconds: 0.5 });
            assert.equal(run.code, 1);
            assert.deepEqual(run.lines.slice(1), [
                "  ✗ GET /health: the deadline of 0.5 s passed (attempt 1 of 5)",
                "  ✗ GET /never: not sent, the deadline of 0.5 s passed",
                "FAILED 2 of 2 requests: mcp-server v2.0.3 is not fit to serve.",
            ]);
            assert.ok(run.took < 4000, `${run.took} ms`);
        });

        for (const signal of ["SIGTERM", "SIGINT"] as const) {
            it(`says so and fails on ${signal}`, async () => {
                let arrived = () => undefined as void;
                const asked = new Promise<void>((resolve) => (arrived = resolve));
                const target = await serve(() => arrived());
                writeFileSync(lastWords, "");
                const run = await gate(
                    plan(target, request({ attempts: 3 }), request({ path: "/never" })),
                    // Again for each piece of output, as somebody impatient would.
                    (child) => void asked.then(() => child.kill(signal)),
                );
                assert.equal(run.code, 1);
                assert.deepEqual(
                    [...new Set(run.lines.slice(1))],
                    [
                        `stopped by ${signal}`,
                        `  ✗ GET /health: stopped by ${signal} (attempt 1 of 3)`,
                        `  ✗ GET /never: not sent, stopped by ${signal}`,
                        "FAILED 2 of 2 requests: mcp-server v2.0.3 is not fit to serve.",
                    ],
                );
                assert.equal(readFileSync(lastWords, "utf8"), run.lines.at(-1));
                assert.ok(run.took < 4000, `${run.took} ms`);
            });
        }
    });

    describe("unusable plans", () => {
        const good = () => plan("http://127.0.0.1:9", request());
        const withRequest = (changes: object) => ({ ...good(), requests: [{ ...request(), ...changes }] });
        const expecting = (expect: object) => withRequest({ expect: { status: 200, ...expect } });

        const cases: [name: string, content: unknown, line: string][] = [
            [
                "not JSON",
                "authorization: s3cr3t",
                "the plan: found text that is not JSON, expected a JSON file",
            ],
            ["not an object", [], "the plan: found an empty list, expected an object"],
            [
                "no requests",
                { ...good(), requests: [] },
                "requests: found an empty list, expected a list of at least one",
            ],
            [
                "requests missing",
                { ...good(), requests: undefined },
                "requests: found nothing, expected a list of at least one",
            ],
            ["no subject", { ...good(), subject: "" }, 'subject: found "", expected a text'],
            [
                "a target that is no URL",
                { ...good(), target: "mcp-server:8000" },
                'target: found "mcp-server:8000", expected a base URL such as http://mcp-server:8000',
            ],
            [
                "a target with credentials",
                { ...good(), target: "http://me:s3cr3t@mcp-server" },
                "target: found a URL with credentials (not shown), expected a base URL without them",
            ],
            [
                "no deadline",
                { ...good(), deadlineSeconds: null },
                "deadlineSeconds: found null, expected seconds, more than 0 and at most 86400",
            ],
            [
                "a deadline no timer can hold",
                { ...good(), deadlineSeconds: 1e7 },
                "deadlineSeconds: found 10000000, expected seconds, more than 0 and at most 86400",
            ],
            [
                "a time limit of nothing",
                withRequest({ timeoutSeconds: 0 }),
                "requests[0].timeoutSeconds: found 0, expected seconds, more than 0 and at most 86400",
            ],
            [
                "no attempts",
                withRequest({ attempts: 0 }),
                "requests[0].attempts: found 0, expected a whole number from 1 to 1000",
            ],
            [
                "half an attempt",
                withRequest({ attempts: 1.5 }),
                "requests[0].attempts: found 1.5, expected a whole number from 1 to 1000",
            ],
            [
                "a method fetch cannot send",
                withRequest({ method: "TRACE" }),
                'requests[0].method: found "TRACE", expected an HTTP method in capitals',
            ],
            [
                "a relative path",
                withRequest({ path: "health" }),
                'requests[0].path: found "health", expected a path that starts with /',
            ],
            [
                "a path too long to show",
                withRequest({ path: "x".repeat(100) }),
                `requests[0].path: found "${"x".repeat(76)}..., expected a path that starts with /`,
            ],
            [
                "a body fetch cannot send",
                withRequest({ body: "{}" }),
                "requests[0].body: found a body, expected none with this method",
            ],
            [
                "a header that is not text",
                withRequest({ headers: { Authorization: ["s3cr3t"] } }),
                "requests[0].headers.Authorization: found a list, expected one line of Latin-1 text",
            ],
            [
                "a header that cannot be sent",
                withRequest({ headers: { Authorization: "s3cr3t\n" } }),
                "requests[0].headers.Authorization: found a text no header can carry (not shown), expected one line of Latin-1 text",
            ],
            [
                "a header name that cannot be sent",
                withRequest({ headers: { "a b": "s3cr3t" } }),
                'requests[0].headers["a b"]: found a name no header can have, expected a header name',
            ],
            [
                "a header fetch would drop",
                withRequest({ headers: { Host: "other" } }),
                "requests[0].headers.Host: found a header that the connection sets itself, expected another header",
            ],
            [
                "no status",
                withRequest({ expect: {} }),
                "requests[0].expect.status: found nothing, expected a whole number from 100 to 599",
            ],
            [
                "a status in quotes",
                expecting({ status: "200" }),
                'requests[0].expect.status: found "200", expected a whole number from 100 to 599',
            ],
            [
                "a misspelt expectation",
                expecting({ bodyContain: "ok" }),
                "requests[0].expect.bodyContain: found an unknown key, expected one of status, headers, bodyContains, json",
            ],
            [
                "an expectation that is always met",
                expecting({ bodyContains: "" }),
                'requests[0].expect.bodyContains: found "", expected a text',
            ],
            [
                "a JSON value that is no scalar",
                expecting({ json: { "a.b": [] } }),
                'requests[0].expect.json["a.b"]: found an empty list, expected a text, number, true, false or null',
            ],
        ];

        it("each is reported in one line with path, found and expected", async () => {
            const runs = await Promise.all(
                cases.map(async ([name, content]) => {
                    const path = planFile(content);
                    return { name, path, run: await program([path]) };
                }),
            );
            runs.forEach(({ name, path, run }, index) => {
                assert.equal(run.err, `unusable plan ${path}: ${cases[index]![2]}\n`, name);
                assert.equal(run.out, "", name);
                assert.equal(run.code, 2, name);
            });
        });

        it("a missing file", async () => {
            const path = join(folder, "no-such-plan.json");
            writeFileSync(lastWords, "");
            const run = await program([path]);
            assert.equal(run.code, 2);
            const line = `unusable plan ${path}: the plan: found no readable file (ENOENT), expected a JSON file`;
            assert.equal(run.err, `${line}\n`);
            assert.equal(readFileSync(lastWords, "utf8"), line);
        });

        it("no argument, and no termination log where there was none", async () => {
            const run = await program([]);
            assert.ok(!existsSync(lastWords));
            assert.equal(run.code, 2);
            assert.equal(
                run.err,
                "unusable plan: first argument: found nothing, expected the path of a plan\n",
            );
        });
    });

    describe("runSmoke", () => {
        const untilStopped = new AbortController().signal;

        it("returns what passed and what failed, and tells the time by the clock it is given", async () => {
            const target = await serve((incoming, response) =>
                response.writeHead(incoming.url === "/ready" ? 503 : 200).end(),
            );
            const lines: string[] = [];
            let clock = 0;
            const full = plan(target, request(), request({ path: "/ready" }));
            const result = await runSmoke(full, {
                log: (line) => lines.push(line),
                signal: untilStopped,
                now: () => (clock += 12),
            });
            assert.deepEqual(result, { passed: 1, failed: ["GET /ready"] });
            assert.equal(lines[1], "  ✓ GET /health: 200 in 12 ms");
            assert.match(smokeVerdict(full, result), /^FAILED 1 of 2/);
        });

        it("pauses for 1, 2, 4, 8 and 8 seconds", async () => {
            const timers = process.getBuiltinModule("node:timers/promises");
            const { setTimeout: original } = timers;
            const pauses: (number | undefined)[] = [];
            const target = await serve((_, response) => response.writeHead(503).end());
            timers.setTimeout = (length, value) => {
                pauses.push(length);
                return Promise.resolve(value!);
            };
            try {
                const quiet = { log: () => undefined, signal: untilStopped };
                await runSmoke(plan(target, request({ attempts: 6 })), quiet);
            } finally {
                timers.setTimeout = original;
            }
            assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 8000]);
        });

        it("leaves no timer and no listener behind", async () => {
            const target = await serve((_, response) => response.end());
            const { signal } = new AbortController();
            const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
            const before = timers();
            await runSmoke(plan(target, ...Array<SmokeRequest>(5).fill(request())), {
                log: () => undefined,
                signal,
            });
            // Fetch and the server keep one or two connections.
            assert.ok(timers() < before + 5, `${timers()} timers, ${before} before`);
            assert.equal(getEventListeners(signal, "abort").length, 0);
        });

        it("stops in the middle of a pause", async () => {
            const stop = new AbortController();
            const target = await serve((_, response) => {
                response.writeHead(503).end();
                setTimeout(() => stop.abort(new Error("stopped by the caller")), 100);
            });
            const start = performance.now();
            const lines: string[] = [];
            const full = plan(target, request({ attempts: 2 }));
            await runSmoke(full, { log: (line) => lines.push(line), signal: stop.signal });
            assert.match(lines[1]!, /found 503; stopped by the caller \(attempt 1 of 2\)$/);
            assert.ok(performance.now() - start < 900);
        });

        it("sends nothing when it is stopped already", async () => {
            let asked = 0;
            const target = await serve((_, response) => {
                asked += 1;
                response.end();
            });
            const signal = AbortSignal.abort(new Error("stopped by the caller"));
            const lines: string[] = [];
            const result = await runSmoke(plan(target, request()), {
                log: (line) => lines.push(line),
                signal,
            });
            assert.deepEqual(result, { passed: 0, failed: ["GET /health"] });
            assert.equal(lines[1], "  ✗ GET /health: not sent, stopped by the caller");
            assert.equal(asked, 0);
        });
    });

    // Last, when most of its three seconds have passed.
    describe("what it repeats", () => {
        it("repeats an attempt after one second, then two, on a new connection", async () => {
            const { code, lines } = await recovery;
            assert.equal(code, 0);
            assert.match(lines[1]!, /^ {2}✓ GET \/health: 200 in \d+ ms \(attempt 3 of 3\)$/);
            assert.equal(arrivals.length, 3);
            const [first, second, third] = arrivals.map(({ time }) => time) as [number, number, number];
            // By a real clock no sooner; how much later is the machine's load. The exact pauses have a test above.
            assert.ok(second - first > 950, `${second - first} ms`);
            assert.ok(third - second > 1950, `${third - second} ms`);
            assert.equal(new Set(arrivals.map(({ socket }) => socket)).size, 3);
        });
    });
});
