import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { type Issued, temporaryAuthority } from "../certificates";
import { only, recordStack } from "../support";

/* The shipper's configuration in the hands of Fluent Bit itself: files as a node has them in, calls of CloudWatch out.
 * The calls go to a server of the test; what is in them is what Fluent Bit's own plugin makes of the events. */

const PROGRAM = "fluent-bit";
const missing =
    spawnSync(PROGRAM, ["--version"]).status === 0
        ? undefined
        : `not proven: that Fluent Bit sends each log to its group, once, with what is configured; there is no ${PROGRAM} on PATH`;
const suite = missing === undefined ? describe : describe.skip;

/** One event as CloudWatch keeps it. */
interface Event {
    stream: string;
    timestamp: number;
    message: string;
}

/** The part of CloudWatch Logs that Fluent Bit calls. Only the configured groups exist. */
class Logs {
    readonly events = new Map<string, Event[]>();
    /** Actions it was asked for that the shipper has no right to. */
    readonly refused: string[] = [];
    /** Answers with an error as long as it is set, and counts how often. */
    down = false;
    turnedAway = 0;
    private readonly streams = new Set<string>();
    private readonly server: Server;

    constructor(groups: readonly string[], { certificate, privateKey }: Issued) {
        groups.forEach((group) => this.events.set(group, []));
        this.server = createServer({ cert: certificate, key: privateKey }, (request, response) => {
            const chunks: Buffer[] = [];
            request.on("data", (chunk: Buffer) => chunks.push(chunk));
            request.on("end", () => {
                const raw = Buffer.concat(chunks);
                const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
                const action = String(request.headers["x-amz-target"]).split(".")[1]!;
                const [status, answer] = this.answer(action, JSON.parse(body.toString()));
                response.writeHead(status, {
                    "content-type": "application/x-amz-json-1.1",
                    // Without it Fluent Bit takes the answer for somebody else's.
                    "x-amzn-RequestId": "0",
                });
                response.end(JSON.stringify(answer));
            });
        });
    }

    async start(): Promise<number> {
        await once(this.server.listen(0, "127.0.0.1"), "listening");
        return (this.server.address() as AddressInfo).port;
    }

    stop(): void {
        this.server.closeAllConnections();
        this.server.close();
    }

    /** The messages of a group, as the objects they are. */
    in(group: string): Record<string, unknown>[] {
        return this.events.get(group)!.map(({ message }) => JSON.parse(message));
    }

    private answer(
        action: string,
        body: {
            logGroupName: string;
            logStreamName: string;
            logEvents?: { timestamp: number; message: string }[];
        },
    ): [status: number, answer: object] {
        const { logGroupName: group, logStreamName: stream, logEvents = [] } = body;
        const key = `${group} ${stream}`;
        const events = this.events.get(group);
        if (this.down) {
            this.turnedAway += 1;
            return [503, { __type: "ServiceUnavailableException", message: "down" }];
        }
        if (action === "CreateLogStream" && events !== undefined) {
            this.streams.add(key);
            return [200, {}];
        }
        if (action === "PutLogEvents" && events !== undefined) {
            if (!this.streams.has(key)) {
                return [400, { __type: "ResourceNotFoundException", message: "no such stream" }];
            }
            events.push(...logEvents.map((event) => ({ stream, ...event })));
            return [200, { nextSequenceToken: "1" }];
        }
        this.refused.push(`${action} ${group}`);
        return [400, { __type: "AccessDeniedException", message: "not allowed" }];
    }
}

suite(`Fluent Bit on the shipper's configuration${missing ? ` (skipped: ${missing})` : ""}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "mcp-fluent-bit-"));
    const groups = ["server", "admin-portal", "chat-ui", "jobs", "audit"].map(
        (name) => `/mcp/production/${name}`,
    );
    const [server, adminPortal, chatUi, jobs, audit] = groups as [string, string, string, string, string];
    const authority = temporaryAuthority();
    const logs = new Logs(groups, authority.issue("logs", { hosts: ["localhost"] }));
    let configuration: string;
    let running: ChildProcess;
    let said = "";

    const start = () => {
        running = spawn(PROGRAM, ["-c", configuration], {
            env: { ...process.env, AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" },
            stdio: ["ignore", "pipe", "pipe"],
        });
        for (const stream of [running.stdout!, running.stderr!]) {
            stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
        }
    };
    const stop = async () => {
        const ended = once(running, "exit");
        running.kill("SIGTERM");
        await ended;
    };

    /** Path of a container's current file, below the folder that replaces the node's. */
    const file = (pod: string, container: string, namespace = "mcp-production") => {
        const directory = join(folder, "pods", `${namespace}_${pod}_0a1b2c3d-0000`, container);
        mkdirSync(directory, { recursive: true });
        return join(directory, "0.log");
    };
    /** Prints lines as containerd writes them down. */
    const print = (path: string, ...lines: (string | object)[]) => {
        for (const line of lines) {
            const text = typeof line === "string" ? line : JSON.stringify(line);
            appendFileSync(path, `2026-01-31T10:30:00.123456789+05:30 stdout F ${text}\n`);
        }
    };
    const until = async (what: string, holds: () => boolean) => {
        for (const deadline = Date.now() + 45_000; !holds(); await sleep(50)) {
            assert.ok(Date.now() < deadline, `${what}: not within 45 s\n${said}`);
        }
    };

    before(async () => {
        const port = await logs.start();
        const { resources } = await recordStack("production");
        const config = resources.find(({ name }) => name === "mcp-production-logs-config")!;
        const { data } = config.inputs as { data: Record<string, string> };
        const given = JSON.parse(
            data["fluent-bit.yaml"]!.replaceAll("/var/log/pods", join(folder, "pods")).replaceAll(
                "/state",
                join(folder, "state"),
            ),
        );
        for (const output of given.pipeline.outputs) {
            Object.assign(output, { endpoint: "127.0.0.1", port, "tls.verify": "off" });
        }
        // The port is taken on a machine that ships its own logs.
        given.service.http_server = "off";
        mkdirSync(join(folder, "state"));
        configuration = join(folder, "fluent-bit.yaml");
        writeFileSync(configuration, JSON.stringify(given, undefined, 2));
    });
    after(async () => {
        if (running?.exitCode === null) {
            await stop();
        }
        logs.stop();
        authority.remove();
        rmSync(folder, { recursive: true, force: true });
    });

    it("is understood by Fluent Bit's own parser", () => {
        const { status, stdout, stderr } = spawnSync(PROGRAM, ["--dry-run", "-c", configuration], {
            encoding: "utf8",
        });
        assert.equal(status, 0, stdout + stderr);
    });

    it("sends a service's JSON with its fields at the top, under the name of its pod", async () => {
        const event = {
            time: "10:30",
            stream: "own",
            level: "ERROR",
            event_type: "tool_execution",
            status: "error",
            duration_ms: 5001.5,
            user_id: "user@msil.com",
            context: { tool: "search" },
        };
        print(file("mcp-server-blue-7d9-x1", "mcp-server"), event);
        start();
        await until("the event is there", () => logs.in(server).length > 0);
        assert.deepEqual(logs.in(server), [event]);
        const [{ stream, timestamp }] = logs.events.get(server) as [Event];
        assert.equal(stream, "pod.service.mcp-server.mcp-server-blue-7d9-x1");
        assert.equal(timestamp, Date.parse("2026-01-31T10:30:00.123+05:30"));
    });

    it("sends a line that is no JSON as it is, and one that was cut as one", async () => {
        const path = file("mcp-server-blue-7d9-x1", "mcp-server");
        const before = logs.in(server).length;
        print(path, "Traceback: ERROR in startup");
        const cut = JSON.stringify({ level: "info", text: "x".repeat(20_000) });
        appendFileSync(path, `2026-01-31T10:30:00.2+05:30 stdout P ${cut.slice(0, 16_384)}\n`);
        appendFileSync(path, `2026-01-31T10:30:00.2+05:30 stdout F ${cut.slice(16_384)}\n`);
        await until("both are there", () => logs.in(server).length >= before + 2);
        assert.deepEqual(logs.in(server).slice(before), [
            { stream: "stdout", log: "Traceback: ERROR in startup" },
            JSON.parse(cut),
        ]);
    });

    it("keeps the services apart, and from what gates and tasks print", async () => {
        print(file("admin-portal-5c-a", "admin-portal"), { of: "admin-portal" });
        print(file("chat-ui-6f-b", "chat-ui"), { of: "chat-ui" });
        print(file("mcp-server-blue-smoke-1-c", "gate"), { of: "gate" });
        await until(
            "all three are there",
            () => logs.in(adminPortal).length + logs.in(chatUi).length + logs.in(jobs).length >= 3,
        );
        assert.deepEqual(logs.in(adminPortal), [{ of: "admin-portal" }]);
        assert.deepEqual(logs.in(chatUi), [{ of: "chat-ui" }]);
        assert.deepEqual(logs.in(jobs), [{ of: "gate" }]);
    });

    it("sends audit events of services to the archive's group as well, and nothing else", async () => {
        const before = logs.in(server).length;
        const path = file("mcp-server-blue-7d9-x1", "mcp-server");
        const event = { event_type: "audit", action: "tool.disable", user_id: "user@msil.com" };
        print(path, { event_type: "audited" }, event, "event_type audit", {
            nested: { event_type: "audit" },
        });
        print(file("mcp-server-blue-smoke-1-c", "gate"), { event_type: "audit" });
        await until(
            "all are there",
            () =>
                logs.in(server).length >= before + 4 &&
                logs.in(jobs).length >= 2 &&
                logs.in(audit).length >= 1,
        );
        assert.deepEqual(logs.in(audit), [event]);
        assert.equal(logs.in(server).filter(({ event_type }) => event_type === "audit").length, 1);
        assert.equal(
            logs.events.get(audit)![0]!.stream,
            "pod.audit.service.mcp-server.mcp-server-blue-7d9-x1",
        );
    });

    it("reads no other namespace, not even one whose name begins like it", async () => {
        for (const namespace of ["kube-system", "mcp-production-logs", "mcp-staging"]) {
            print(file("any-1", "mcp-server", namespace), { of: namespace });
        }
        const before = logs.in(chatUi).length;
        // By then it has looked for new files.
        print(file("chat-ui-6f-new", "chat-ui"), { of: "new" });
        await until("the new pod's is there", () => logs.in(chatUi).length > before);
        for (const group of groups) {
            assert.ok(logs.in(group).every(({ of }) => !/kube-system|logs|staging/.test(String(of))));
        }
    });

    it("goes on with a file that the node rotates", async () => {
        const path = file("chat-ui-6f-b", "chat-ui");
        const before = logs.in(chatUi).length;
        print(path, { of: "last of the old" });
        renameSync(path, `${path}.20260131-103000`);
        print(path, { of: "first of the new" });
        await until("both are there", () => logs.in(chatUi).length >= before + 2);
        assert.deepEqual(
            logs
                .in(chatUi)
                .slice(before)
                .map(({ of }) => of),
            ["last of the old", "first of the new"],
        );
    });

    it("loses and repeats nothing when CloudWatch is away and its pod is replaced meanwhile", async () => {
        const path = file("admin-portal-5c-a", "admin-portal");
        const before = logs.in(adminPortal).length;
        logs.down = true;
        print(path, { number: 1 });
        await until("it has tried", () => logs.turnedAway > 0);
        await stop();
        print(path, { number: 2 });
        logs.down = false;
        start();
        const numbers = () =>
            logs
                .in(adminPortal)
                .slice(before)
                .map(({ number }) => number)
                .sort();
        await until("both are there", () => numbers().length >= 2);
        print(path, { number: 3 });
        await until("what came later is there", () => numbers().includes(3));
        assert.deepEqual(numbers(), [1, 2, 3]);
    });

    it("asks for nothing but what its rights are", async () => {
        const policy = only(
            await recordStack("production"),
            "aws:iam/rolePolicy:RolePolicy",
            "mcp-production-logs",
        );
        const [statement] = JSON.parse(policy.inputs["policy"] as string).Statement;
        assert.deepEqual(statement.Action, ["logs:CreateLogStream", "logs:PutLogEvents"]);
        assert.deepEqual(logs.refused, []);
    });
});
