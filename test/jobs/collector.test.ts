import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { displayed } from "../../offline/property";
import { only, recordStack } from "../support";
import { otelcol, whyNoCollector } from "./otelcol";
import { freePort } from "./postgres";
import { listen } from "./servers";

/*
 * The collector's configuration in the OpenTelemetry collector itself: two pods that are scraped, and calls to
 * CloudWatch Logs. The calls go to a stub server, which reads them as CloudWatch does: as metrics.
 */

const missing = whyNoCollector();
const suite = missing === undefined ? describe : describe.skip;

/** One metric, with several values of one moment combined. */
interface Statistics {
    Count: number;
    Sum: number;
    Min: number;
    Max: number;
}

/** One value of a metric, as CloudWatch makes it of an event. */
interface Datum {
    namespace: string;
    metric: string;
    dimensions: Record<string, string>;
    unit: string;
    value: number | Statistics;
    /** The other fields of the event. They are no dimensions. */
    fields: Record<string, unknown>;
}

interface EmbeddedMetrics {
    _aws: {
        Timestamp: number;
        CloudWatchMetrics: {
            Namespace: string;
            Dimensions: string[][];
            Metrics: { Name: string; Unit: string }[];
        }[];
    };
    [field: string]: unknown;
}

/** The metrics in an event, each with every set of its dimensions. */
function dataOf(message: string): Datum[] {
    const { _aws: told, ...fields } = JSON.parse(message) as EmbeddedMetrics;
    assert.ok(Math.abs(Date.now() - told.Timestamp) < 60_000, "a time of now");
    return told.CloudWatchMetrics.flatMap(({ Namespace: namespace, Dimensions: sets, Metrics: metrics }) =>
        sets.flatMap((names) =>
            metrics.map(({ Name: metric, Unit: unit }) => ({
                namespace,
                metric,
                dimensions: Object.fromEntries(names.map((name) => [name, String(fields[name])])),
                unit,
                value: fields[metric] as Datum["value"],
                fields,
            })),
        ),
    );
}

async function bodyOf(request: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
        chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString();
}

/** One pod of MCP Server: its counts, and its metrics page. */
class Pod {
    requests = 0;
    seconds = 0;
    errors = 0;
    used = 0;
    breaker = 0;
    /** How often it was asked. */
    looks = 0;

    page(): string {
        this.looks += 1;
        const { requests, seconds, errors, used, breaker } = this;
        return [
            "# TYPE request_duration_seconds histogram",
            `request_duration_seconds_bucket{le="1"} ${requests - errors}`,
            `request_duration_seconds_bucket{le="+Inf"} ${requests}`,
            `request_duration_seconds_sum ${seconds}`,
            `request_duration_seconds_count ${requests}`,
            "# TYPE tool_request_duration_seconds summary",
            `tool_request_duration_seconds{quantile="0.5"} 0.25`,
            `tool_request_duration_seconds{quantile="0.99"} 4`,
            `tool_request_duration_seconds_sum ${seconds}`,
            `tool_request_duration_seconds_count ${requests}`,
            "# TYPE requests_total counter",
            `requests_total{status="200"} ${requests - errors}`,
            `requests_total{status="500"} ${errors}`,
            "# TYPE errors_total counter",
            `errors_total ${errors}`,
            "# TYPE circuit_breaker_state gauge",
            `circuit_breaker_state{backend="apim"} ${breaker}`,
            `circuit_breaker_state{backend="other"} 0`,
            "# TYPE db_pool_used gauge",
            `db_pool_used ${used}`,
            "# TYPE db_pool_size gauge",
            "db_pool_size 20",
            "# TYPE process_open_fds gauge",
            "process_open_fds 7",
            "",
        ].join("\n");
    }
}

suite(`the collector on its configuration${missing ? ` (skipped: ${missing})` : ""}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "mcp-collector-"));
    const declared = join(folder, "declared.yaml");
    const closers: (() => void)[] = [];
    const pods = [new Pod(), new Pod()] as const;
    const [first, second] = pods;
    /** What CloudWatch received, in order, and refused calls for which the collector has no right. */
    const told: Datum[] = [];
    const refused: string[] = [];
    let running: ChildProcess;
    let health: string;
    let said = "";

    /** Waits for something that comes by itself. */
    const until = async (what: string, holds: () => boolean) => {
        for (const deadline = Date.now() + 60_000; !holds(); await sleep(50)) {
            assert.ok(Date.now() < deadline, `${what}: not within 60 s\n${said}`);
        }
    };
    /** Waits until the sent values of every pod are from a scrape after this call. */
    const looked = async () => {
        const before = pods.map(({ looks }) => looks);
        // The scrape after the next: the values of the previous one have been sent by then.
        await until("every pod is scraped twice", () =>
            pods.every(({ looks }, pod) => looks >= before[pod]! + 2),
        );
        const { length } = told;
        await until(
            "both are sent",
            () => told.slice(length).filter(({ metric }) => metric === "db_pool_size").length > 3,
        );
    };
    const of = (metric: string, from = 0) => told.slice(from).filter((datum) => datum.metric === metric);
    const numbers = (metric: string, from = 0) => of(metric, from).map(({ value }) => value as number);
    const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);

    /** CloudWatch Logs, as far as it is called: one group, whose streams the callers create. */
    async function cloudwatch(group: string): Promise<string> {
        const streams = new Set<string>();
        const server = createServer((request, response) => {
            void bodyOf(request).then((body) => {
                const action = String(request.headers["x-amz-target"]).split(".")[1]!;
                const { logGroupName, logStreamName, logEvents = [] } = JSON.parse(body);
                const answer = (status: number, type?: string) => {
                    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
                    // The collector sends events again until it has the token.
                    const written = action === "PutLogEvents" ? { nextSequenceToken: "1" } : {};
                    response.end(
                        JSON.stringify(type === undefined ? written : { __type: type, message: type }),
                    );
                };
                if (logGroupName !== group || !["CreateLogStream", "PutLogEvents"].includes(action)) {
                    refused.push(`${action} ${logGroupName}`);
                    answer(400, "AccessDeniedException");
                } else if (action === "CreateLogStream") {
                    streams.add(logStreamName);
                    answer(200);
                } else if (!streams.has(logStreamName)) {
                    answer(400, "ResourceNotFoundException");
                } else {
                    for (const { message } of logEvents) {
                        told.push(...dataOf(message));
                    }
                    answer(200);
                }
            });
        });
        const { port, close } = await listen(server);
        closers.push(close);
        return `http://127.0.0.1:${port}`;
    }

    before(async () => {
        const { data } = only(
            await recordStack("production"),
            "kubernetes:core/v1:ConfigMap",
            "mcp-metrics-config",
        ).inputs as { data: Record<string, string> };
        writeFileSync(declared, data["collector.yaml"]!);
        const given = JSON.parse(data["collector.yaml"]!);
        const targets = await Promise.all(
            pods.map(async (pod) => {
                const server = createServer(({ url }, response) => {
                    assert.equal(url, "/metrics");
                    // As many servers do, it does not name its format.
                    response.end(pod.page());
                });
                const { port, close } = await listen(server);
                closers.push(close);
                return `127.0.0.1:${port}`;
            }),
        );
        const { config } = given.receivers.prometheus;
        config.global.scrape_interval = "1s";
        const [scrape] = config.scrape_configs;
        delete scrape.dns_sd_configs;
        scrape.static_configs = [{ targets }];
        const { awsemf } = given.exporters;
        awsemf.endpoint = await cloudwatch(awsemf.log_group_name);
        health = `127.0.0.1:${await freePort()}`;
        given.extensions.health_check.endpoint = health;
        const configuration = join(folder, "collector.yaml");
        writeFileSync(configuration, JSON.stringify(given));
        running = spawn(otelcol, [`--config=${configuration}`], {
            env: { ...process.env, AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" },
            stdio: ["ignore", "pipe", "pipe"],
        });
        for (const stream of [running.stdout!, running.stderr!]) {
            stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
        }
        Object.assign(first, { requests: 100, seconds: 30, errors: 3, used: 4 });
        Object.assign(second, { requests: 1000, seconds: 300, errors: 30, used: 5 });
        await looked();
    });
    after(async () => {
        if (running?.exitCode === null) {
            const ended = once(running, "exit");
            running.kill("SIGTERM");
            await ended;
        }
        closers.forEach((close) => close());
        rmSync(folder, { recursive: true, force: true });
    });

    it("is valid as it is declared", () => {
        const { status, stdout, stderr } = spawnSync(otelcol, ["validate", `--config=${declared}`], {
            encoding: "utf8",
        });
        assert.equal(status, 0, stdout + stderr);
    });

    it("answers the pod's probes", async () => {
        const { status } = await fetch(`http://${health}/`);
        assert.equal(status, 200);
    });

    it("tells each metric that the runbook looks for under the namespace and the dimension of the alarms", () => {
        assert.deepEqual([...new Set(told.map(({ metric }) => metric))].sort(), [
            "circuit_breaker_state",
            "db_pool_size",
            "db_pool_used",
            "errors_total",
            "request_duration_seconds",
            "requests_total",
            "tool_request_duration_seconds",
        ]);
        for (const { namespace, dimensions, unit } of told) {
            // Without a unit, as the alarms are: with one they would see only values of the same.
            assert.deepEqual(
                [namespace, dimensions, unit],
                ["MCP/production", { Service: "mcp-server" }, ""],
            );
        }
    });

    it("tells what every alarm on the application's metrics watches", async () => {
        const { resources } = await recordStack("production");
        const alarms = resources
            .filter(({ type }) => type === "aws:cloudwatch/metricAlarm:MetricAlarm")
            /* eslint-disable-next-line @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
            .map(({ inputs }): any => displayed(inputs as never));
        const watched = alarms
            /* eslint-disable-next-line @typescript-eslint/no-explicit-any */
            .flatMap((alarm) => alarm.metricQueries?.flatMap(({ metric }: any) => metric ?? []) ?? [alarm])
            .filter(({ dimensions }) => dimensions?.Service !== undefined);
        assert.deepEqual([...new Set(watched.map(({ metricName }) => metricName))].sort(), [
            "circuit_breaker_state",
            "db_pool_size",
            "db_pool_used",
            "errors_total",
            "request_duration_seconds",
            "requests_total",
        ]);
        for (const { namespace, metricName, dimensions, unit } of watched) {
            const [found] = of(metricName);
            assert.deepEqual([found?.namespace, found?.dimensions], [namespace, dimensions]);
            assert.equal(unit, undefined);
        }
    });

    it("tells levels of every pod and every backend, so that the highest and the lowest are among them", async () => {
        first.breaker = 1;
        second.used = 19;
        const from = told.length;
        await looked();
        assert.equal(Math.max(...numbers("circuit_breaker_state", from)), 1);
        assert.equal(Math.min(...numbers("circuit_breaker_state", from)), 0);
        assert.equal(Math.max(...numbers("db_pool_used", from)), 19);
        assert.ok(numbers("db_pool_used", from).includes(4));
        assert.equal(Math.min(...numbers("db_pool_size", from)), 20);
        const origins = of("db_pool_used", from).map(({ fields }) => fields["service.instance.id"]);
        assert.equal(new Set(origins).size, 2);
    });

    it("sends the increase of counters since the last scrape, once, even after a restart of a pod", async () => {
        await looked();
        const from = told.length;
        first.requests += 40;
        first.errors += 4;
        second.requests += 2;
        await looked();
        assert.equal(sum(numbers("requests_total", from)), 42);
        assert.equal(sum(numbers("errors_total", from)), 4);
        const anew = told.length;
        Object.assign(second, { requests: 5, seconds: 1, errors: 0 });
        await looked();
        const came = sum(numbers("requests_total", anew));
        assert.ok(came >= 0 && came <= 5, `${came} since its restart`);
    });

    for (const [metric, kind] of Object.entries({
        request_duration_seconds: "a histogram",
        tool_request_duration_seconds: "a summary",
    })) {
        it(`tells of ${kind} how many came and how long they took together, since the last look`, async () => {
            await looked();
            const from = told.length;
            first.requests += 10;
            first.seconds += 25;
            await looked();
            const found = of(metric, from).map(({ value }) => value as Statistics);
            assert.equal(sum(found.map(({ Count }) => Count)), 10);
            assert.equal(sum(found.map(({ Sum }) => Sum)), 25);
        });
    }

    it("has no minimum and maximum of a histogram: they are 0, and nothing uses them", async () => {
        const found = of("request_duration_seconds").map(({ value }) => value as Statistics);
        assert.ok(found.length > 0);
        assert.deepEqual([...new Set(found.flatMap(({ Min, Max }) => [Min, Max]))], [0]);
        const { resources } = await recordStack("production");
        const inputsOf = (wanted: string) =>
            resources
                .filter(({ type }) => type === wanted)
                /* eslint-disable-next-line @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
                .map(({ inputs }): any => displayed(inputs as never));
        const alarms = inputsOf("aws:cloudwatch/metricAlarm:MetricAlarm").filter(
            ({ metricName }) => metricName === "request_duration_seconds",
        );
        assert.deepEqual([...new Set(alarms.map(({ statistic }) => statistic))], ["Average"]);
        const [{ dashboardBody }] = inputsOf("aws:cloudwatch/dashboard:Dashboard");
        const searches = (dashboardBody as string).match(/SEARCH\('[^']*request duration[^']*', '\w+'/g);
        assert.ok(searches !== null);
        for (const search of searches) assert.match(search, /, 'Average'$/);
    });

    it("asks for nothing but what its rights are, and takes no two pods for one", () => {
        assert.deepEqual(refused, []);
        assert.doesNotMatch(said, /Duplicate metric/);
    });
});
