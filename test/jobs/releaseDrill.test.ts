import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../support";
import { app, FakeCluster } from "./releaseCluster";
import { type Behaviour, type Outcome, type Scenario, World } from "./releaseWorld";

/** Document that has the table. */
const DOCUMENT = join(root, "docs", "release-gates.md");
const [BEGIN, END] = ["<!-- drill: begin -->", "<!-- drill: end -->"];

const isProbe = (path: string) => path === "/health" || path === "/ready";
/** A behaviour that concerns users' requests alone. */
const users =
    (behaviour: Behaviour): Behaviour =>
    (path, time, nth) =>
        isProbe(path) ? {} : behaviour(path, time, nth);
const failing = { status: 500, body: { error: "internal" } };
/** Fails one of so many requests of users. */
const oneOf = (count: number) => users((_, __, nth) => (nth % count === 0 ? failing : {}));
const from = (seconds: number, behaviour: Behaviour): Behaviour =>
    users((path, time, nth) => (time >= seconds ? behaviour(path, time, nth) : {}));

const vector = (...values: number[]) => ({
    body: {
        data: {
            resultType: "vector",
            result: values.map((value) => ({ metric: {}, value: [0, String(value)] })),
        },
    },
});
const byPrometheus = (world: World) => ({
    metrics: { prometheus: world.prometheusUrl, requests: "requests", errors: "errors" },
    latency: { maxIncreasePercent: 50 },
});
const counted =
    (requests: (time: number) => number, errors = 0) =>
    (query: string, time: number) =>
        vector(query === "requests" ? requests(time) : errors);
const watched = (world: World) => ({
    watched: [{ name: "queue", prometheus: world.prometheusUrl, query: "queue", max: 100 }],
});
const byCloudWatch = () => ({
    watched: [
        {
            ...{ name: "queue", region: "ap-south-1", namespace: "MCP/production", metric: "QueueLength" },
            ...{ dimensions: { Service: "mcp-server" }, statistic: "Maximum", max: 100 },
        },
    ],
});
const quiet = () => ({ allowNoData: true });
/** Moves the pods of one node to another. */
const drain = (replacement: boolean) => (world: World) => {
    const [pod] = world.of("green");
    world.remove(pod!);
    world.add(
        "green",
        replacement ? { ready: false } : { ready: false, unschedulable: "0/3 nodes are available" },
    );
};
const ready = (world: World) => {
    for (const pod of world.of("green")) world.change(pod, { ready: true });
};
const fewestOf = (colour: string, count: number) => (world: World) => {
    for (const pod of world.of(colour).slice(count)) world.remove(pod);
};

/** Releases that must not pass. */
const BAD: Record<string, Scenario> = {
    "every user request fails, probes are well": { green: users(() => failing) },
    "the same from the switch on": { green: from(0, () => failing) },
    "the same with 24 requests of users, among probes that no label tells apart": {
        green: from(0, (path) => (path === "/mcp/call" ? {} : failing)),
        users: 0.04,
        pathLabel: false,
        soak: () => ({ minimumRequests: 20 }),
    },
    "10 % of the requests fail": { green: oneOf(10) },
    "one path fails": { green: from(0, (path) => (path === "/mcp/list" ? failing : {})) },
    "one path fails that few users ask for": {
        green: from(60, (path) => (path === "/mcp/call" ? failing : {})),
        users: 0,
        soak: quiet,
    },
    "status 200 with an error in the body": { green: users(() => ({ body: { error: "internal" } })) },
    "the same after a minute": { green: from(60, () => ({ body: { error: "internal" } })) },
    "one request in 30 fails, where none did before": { green: oneOf(30) },
    "errors begin after eight minutes": { green: from(480, (_, __, nth) => (nth % 2 ? failing : {})) },
    "a burst of errors for three minutes": {
        green: from(120, (_, time, nth) => (time < 300 && nth % 3 === 0 ? failing : {})),
    },
    "four times as slow": { green: users(() => ({ seconds: 0.4 })), blue: () => ({ seconds: 0.09 }) },
    "slower than the limit": { green: users(() => ({ seconds: 3 })), blue: () => ({ seconds: 2.4 }) },
    "slow, among fast probes that no label tells apart": {
        green: from(0, () => ({ seconds: 1.8 })),
        pathLabel: false,
        probes: 3,
    },
    "pods that never become ready": {
        before: (world) => world.of("green").forEach((pod) => world.change(pod, { ready: false })),
    },
    "pods that crash at their start": {
        before: (world) =>
            world
                .of("green")
                .forEach((pod) =>
                    world.change(pod, { ready: false, waiting: { reason: "CrashLoopBackOff" } }),
                ),
    },
    "an image that cannot be pulled": {
        before: (world) =>
            world
                .of("green")
                .forEach((pod) =>
                    world.change(pod, { ready: false, waiting: { reason: "ImagePullBackOff" } }),
                ),
    },
    "no room for the pods": {
        before: (world) =>
            world
                .of("green")
                .forEach((pod) =>
                    world.change(pod, { ready: false, unschedulable: "0/3 nodes are available" }),
                ),
    },
    "memory that grows until the kernel ends it after five minutes": {
        events: [
            [
                300,
                (world) =>
                    world.change(world.of("green")[0]!, {
                        restarts: 1,
                        lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
                    }),
            ],
        ],
    },
    "a crash loop after four minutes": {
        events: [
            [
                240,
                (world) =>
                    world.change(world.of("green")[1]!, {
                        restarts: 1,
                        ready: false,
                        lastState: { terminated: { exitCode: 1, reason: "Error" } },
                    }),
            ],
        ],
    },
    "one pod of three that fails every request": {
        before: (world) => {
            const bad = world.of("green")[1]!;
            const react = bad.react.bind(bad);
            bad.react = (behaviour, path, time) =>
                react(isProbe(path) ? behaviour : () => failing, path, time);
        },
    },
    "a pod that runs another image": {
        before: (world) => world.change(world.of("green")[2]!, { image: "registry/mcp-server@sha256:0" }),
    },
    "an image that holds another application": { green: () => ({ status: 404 }) },
    "the configuration of another environment": { green: () => ({ body: { status: "degraded" } }) },
    "readiness that comes and goes": {
        events: Array.from({ length: 20 }, (_, n) => [
            60 * n + 10,
            (world: World) => world.change(world.of("green")[0]!, { ready: n % 2 === 1 }),
        ]),
    },
    "one pod that is not ready any more": {
        events: [[100, (world) => world.change(world.of("green")[0]!, { ready: false })]],
    },
    "no pod that is ready any more": {
        events: [[100, (world) => world.of("green").forEach((pod) => world.change(pod, { ready: false }))]],
        users: 0,
    },
    "no traffic": { users: 0 },
    "few requests, all of which fail": {
        users: 0.02,
        soak: quiet,
        green: from(0, (path) => (path === "/mcp/call" ? {} : failing)),
    },
    "no page of metrics": { page: (page, pod) => (pod.colour === "green" ? undefined : page), soak: quiet },
    "a counter of another name": {
        page: (page, pod) =>
            pod.colour === "green" ? page.replaceAll("requests_total", "http_requests") : page,
        soak: quiet,
    },
    "counters that start again at each reading": {
        page: (page, pod) => {
            if (pod.colour === "green") pod.series.clear();
            return page;
        },
    },
    "counters that go backwards": {
        page: (page, pod, world) =>
            pod.colour === "blue"
                ? page
                : page.replace(
                      / (\d+)$/gm,
                      (_, value) =>
                          ` ${Math.max(0, Number(value) - (Math.round(world.clock / 30) % 2) * 20)}`,
                  ),
    },
    "a Service that selects nothing": { events: [[120, (world) => world.cluster.endpoints()]], users: 0 },
    "a Service that somebody turns back": { events: [[120, (world) => world.select("blue")]] },
    "errors while the autoscaler takes pods away": {
        green: from(0, (_, __, nth) => (nth % 8 === 0 ? failing : {})),
        before: (world) => {
            for (let n = 0; n < 3; n += 1) world.add("green");
        },
        events: [[60, fewestOf("green", 3)]],
    },
    "errors while a node is drained": {
        green: from(0, (_, __, nth) => (nth % 8 === 0 ? failing : {})),
        events: [
            [60, drain(true)],
            [100, ready],
        ],
    },
    "a drained node whose pods find no place": { events: [[60, drain(false)]] },
    "Prometheus out of reach": { soak: byPrometheus },
    "Prometheus without data": { soak: byPrometheus, prometheus: () => vector() },
    "Prometheus that has stopped to count": { soak: byPrometheus, prometheus: counted(() => 900) },
    "Prometheus counts 8 % of errors": {
        soak: byPrometheus,
        prometheus: counted((time) => 100 + time, 55),
    },
    "an expression that gives several numbers": {
        soak: byPrometheus,
        prometheus: (_, time) => (time < 0 ? vector(1000) : vector(1, 2)),
    },
    "a metric of the user's own beyond its limit": {
        soak: watched,
        prometheus: (_, time) => vector(time > 240 ? 250 : 10),
    },
    "a metric of the user's own that is not there": { soak: watched, prometheus: () => vector() },
    "a metric in CloudWatch beyond its limit": {
        soak: byCloudWatch,
        cloudWatch: (time) => (time > 240 ? 250 : 10),
    },
    "a metric in CloudWatch that has no value": { soak: byCloudWatch },
    "a public host that is cut off by the release": {
        events: [[0, (world) => (world.publicHost = false)]],
        users: 0,
        soak: quiet,
    },
    "requests that are never answered": {
        timeoutSeconds: 0.5,
        green: from(90, () => ({ silent: true })),
        users: 0,
        soak: quiet,
    },
};

/** Releases that must pass. */
const GOOD: Record<string, Scenario> = {
    "an ordinary one": {},
    "low traffic, where that is allowed": { users: 0.05, soak: quiet },
    "no traffic at all, where that is allowed": { users: 0, soak: quiet },
    "just enough traffic": { users: 0.36 },
    "heavy probes, distinguished by labels": { probes: 20 },
    "heavy probes that no label tells apart": { probes: 5, pathLabel: false },
    "bursts of traffic": { users: (time) => (time % 120 < 20 ? 20 : 1) },
    "the autoscaler adds pods": {
        events: [
            [100, (world) => world.add("green", { ready: false })],
            [115, (world) => world.add("green", { ready: false })],
            [180, ready],
        ],
    },
    "the autoscaler takes pods away": {
        before: (world) => {
            for (let n = 0; n < 3; n += 1) world.add("green");
        },
        events: [[200, fewestOf("green", 3)]],
    },
    "a pod is moved to another node": {
        events: [
            [150, drain(true)],
            [190, ready],
        ],
    },
    "a pod is moved just before the end": {
        events: [
            [580, drain(true)],
            [640, ready],
        ],
    },
    "two nodes are drained, one after the other": {
        events: [
            [100, drain(true)],
            [160, ready],
            [300, drain(true)],
            [350, ready],
        ],
    },
    "the gate is stopped and run again": { gateRestarts: true },
    "errors as many as before": { green: oneOf(50), blue: oneOf(50) },
    "a few errors": { green: oneOf(250) },
    "clients' own mistakes": { green: users((path) => (path === "/mcp/tools" ? { status: 404 } : {})) },
    "as slow as before": { green: users(() => ({ seconds: 0.9 })), blue: () => ({ seconds: 0.9 }) },
    "a little slower": { green: users(() => ({ seconds: 0.06 })) },
    "no histogram of durations": {
        page: (page) => page.replace(/^request_duration.*\n/gm, ""),
        soak: () => ({ latency: { maxIncreasePercent: 50 } }),
    },
    "a worker process is replaced, and its counters begin again": {
        events: [
            [
                200,
                (world) => {
                    world.of("green")[0]!.series.clear();
                    world.of("green")[0]!.buckets.clear();
                },
            ],
        ],
    },
    "metrics of a pod are out of reach for a minute": {
        page: (page, pod, world) =>
            pod === world.of("green")[0] && world.time > 100 && world.time < 160 ? undefined : page,
    },
    "one request of the gate fails": {
        green: (path, time) => (path === "/mcp/call" && time >= 90 && time < 91 ? failing : {}),
        users: 1,
    },
    "Prometheus counts": { soak: byPrometheus, prometheus: counted((time) => 300 + 2 * time) },
    "Prometheus is out of reach for a minute": {
        soak: byPrometheus,
        prometheus: (query, time) =>
            time > 100 && time < 170 ? undefined : counted((at) => 300 + 2 * at)(query, time),
    },
    "a metric of the user's own within its limit, but for once": {
        soak: watched,
        prometheus: (_, time) => vector(time > 230 && time < 250 ? 250 : 10),
    },
    "a metric in CloudWatch within its limit, some minutes late": {
        soak: byCloudWatch,
        cloudWatch: (time) => (time < 180 ? undefined : 10),
    },
    "a public host that cannot be reached from the cluster": {
        before: (world) => (world.publicHost = false),
    },
    "a release that passed before": {
        before: (world) => {
            const entries = world.cluster.entries;
            world.cluster.ledger({
                [app]: JSON.stringify([
                    ...entries,
                    { ...entries[0], hash: "new", colour: "green", smokeAt: "then", completedAt: "then" },
                ]),
            });
        },
    },
    "a first installation": { before: (world) => world.cluster.ledger() },
};

describe("drill of releases", function () {
    this.timeout(120_000);
    const folder = mkdtempSync(join(tmpdir(), "mcp-drill-"));
    const cluster = new FakeCluster();
    const world = new World(cluster);
    const outcomes = new Map<string, Outcome>();

    before(async () => {
        await cluster.start(folder);
        await world.start();
    });
    after(() => {
        world.stop();
        cluster.stop();
        rmSync(folder, { recursive: true });
    });

    const drill = async (name: string, scenario: Scenario) => {
        const outcome = await world.release(scenario);
        outcomes.set(name, outcome);
        return outcome;
    };

    describe("catches", () => {
        for (const [name, scenario] of Object.entries(BAD)) {
            it(name, async () => {
                const { gate, lines } = await drill(name, scenario);
                assert.notEqual(gate, undefined, lines.join("\n"));
            });
        }
    });

    describe("lets pass", () => {
        for (const [name, scenario] of Object.entries(GOOD)) {
            it(name, async () => {
                const { gate, lines } = await drill(name, scenario);
                assert.equal(gate, undefined, lines.join("\n"));
            });
        }
    });

    describe("is documented", () => {
        it("has its table in the document", function () {
            const names = [...Object.keys(BAD), ...Object.keys(GOOD)];
            // Only part of the drill was asked for.
            if (names.some((name) => !outcomes.has(name))) this.skip();
            const document = readFileSync(DOCUMENT, "utf8");
            const [head, rest] = document.split(BEGIN) as [string, string];
            const expected = [head, BEGIN, "\n\n", table(outcomes), "\n\n", END, rest.split(END)[1]].join("");
            if (process.env["UPDATE_DRILL"] !== undefined) writeFileSync(DOCUMENT, expected);
            assert.equal(
                withoutFigures(readFileSync(DOCUMENT, "utf8")),
                withoutFigures(expected),
                `run UPDATE_DRILL=1 npx mocha test/jobs/releaseDrill.test.ts`,
            );
        });
    });
});

/** A table without its figures and the width of its columns: parallel requests decide which pod gets one of them. */
function withoutFigures(text: string): string {
    return text
        .replaceAll(/\d+(\.\d+)?/g, "N")
        .replaceAll(/ +/g, " ")
        .replaceAll(/-+/g, "-");
}

/** The outcomes as Markdown, formatted as prettier formats it. */
function table(outcomes: ReadonlyMap<string, Outcome>): string {
    const bad = Object.keys(BAD).map((name) => {
        const { gate, seconds, line } = outcomes.get(name)!;
        const where =
            gate === undefined
                ? "missed"
                : seconds === undefined
                  ? `before the switch (${gate})`
                  : `${seconds} s`;
        const why = line
            .replace(/^FAILED .*?\(green\): /, "")
            .replace(/127\.0\.0\.1:\d+|127\.0\.1\.4:\d+/g, "…")
            .replace(/http:\/\/127\.0\.1\.1:\d+/g, "http://mcp-server:8000")
            .replaceAll("|", "\\|");
        return [name, where, why.length > 140 ? `${why.slice(0, 139)}…` : why];
    });
    const good = Object.keys(GOOD).map((name) => {
        const { gate, line } = outcomes.get(name)!;
        return [
            name,
            gate === undefined ? "passed" : `false alarm (${gate})`,
            line.replace(/^.*?\(green\): /, "").replaceAll("|", "\\|"),
        ];
    });
    const missed = bad.filter(([, where]) => where === "missed").length;
    const alarms = good.filter(([, how]) => how !== "passed").length;
    return [
        `${bad.length} bad releases, ${missed} missed; ${good.length} good ones, ${alarms} false alarms.`,
        "",
        formatted([["bad release", "caught after the switch", "what the gate says"], ...bad]),
        "",
        formatted([["good release", "outcome", "what the gate says"], ...good]),
    ].join("\n");
}

function formatted([head, ...rows]: string[][]): string {
    const widths = head!.map((_, column) =>
        Math.max(...[head!, ...rows].map((row) => [...row[column]!].length)),
    );
    const line = (row: readonly string[]) =>
        `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
    return [
        line(head!),
        `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
        ...rows.map(line),
    ].join("\n");
}
