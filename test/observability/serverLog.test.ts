import assert from "node:assert/strict";
import { type RecordedResource, type Recording } from "../../offline/record";
import { displayed } from "../../offline/property";
import { only, recordStack } from "../support";
import { matchesPattern } from "./filterPattern";

const FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter";
const QUERY = "aws:cloudwatch/queryDefinition:QueryDefinition";

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
const shown = (resource: RecordedResource): any => displayed(resource.inputs as never);

/** Lines as MCP Server writes them, and the metrics that must count each. */
const LINES: [line: string | object, metrics: string[]][] = [
    ["2026-01-31 10:30:00 ERROR could not reach apim.msil.com", ["ErrorLines"]],
    ["2026-01-31 10:30:00 error in a lower voice", []],
    [{ level: "ERROR", message: "backend gone" }, ["ErrorLines"]],
    [{ level: "info", message: "started" }, []],
    [
        { event_type: "tool_execution", status: "error", duration_ms: 12 },
        ["FailedToolExecutions", "RequestMilliseconds", "ToolExecutions"],
    ],
    [{ event_type: "tool_execution", status: "success" }, ["ToolExecutions"]],
    [{ event_type: "login", status: "error" }, []],
    [{ nested: { event_type: "tool_execution", status: "error" } }, []],
    [{ duration_ms: 5000 }, ["RequestMilliseconds"]],
    [{ duration_ms: 5000.5 }, ["RequestMilliseconds", "SlowRequests"]],
    [{ duration_ms: "9000" }, []],
    [{ status_code: 200 }, ["Requests"]],
    [{ status_code: 401 }, ["Requests", "Status401"]],
    [{ status_code: 403 }, ["Requests", "Status403"]],
    [{ status_code: 404 }, ["Requests"]],
    [{ status_code: 429 }, ["Requests", "Status429"]],
    [{ status_code: 500 }, ["Errors", "Requests", "Status500"]],
    [{ status_code: 502 }, ["Errors", "Requests"]],
    [{ status_code: 503 }, ["Errors", "Requests", "Status503"]],
    [{ message: "status_code 500" }, []],
];

describe("MCP Server's log", () => {
    let production: Recording;
    let filters: any[];
    before(async () => {
        production = await recordStack("production");
        filters = production.resources.filter(({ type }) => type === FILTER).map(shown);
    });

    it("is counted by exactly these metrics, of its group and in the platform's namespace", () => {
        assert.deepEqual(filters.map(({ metricTransformation: { name } }) => name).sort(), [
            "ErrorLines",
            "Errors",
            "FailedToolExecutions",
            "RequestMilliseconds",
            "Requests",
            "SlowRequests",
            "Status401",
            "Status403",
            "Status429",
            "Status500",
            "Status503",
            "ToolExecutions",
        ]);
        for (const { logGroupName, metricTransformation } of filters) {
            assert.equal(logGroupName, "/mcp/production/server");
            assert.equal(metricTransformation.namespace, "MCP/production");
            // CloudWatch takes either a default or dimensions.
            assert.equal(metricTransformation.dimensions, undefined);
        }
    });

    it("is counted as 0 where there was nothing to count, but a duration is not made up", () => {
        for (const { metricTransformation: metric } of filters) {
            assert.deepEqual(
                [metric.value, metric.defaultValue],
                metric.name === "RequestMilliseconds" ? ["$.duration_ms", undefined] : ["1", "0"],
            );
        }
    });

    it("is searched with the runbook's own patterns", () => {
        const pattern = (metric: string) =>
            filters.find(({ metricTransformation: { name } }) => name === metric).pattern;
        assert.equal(pattern("ErrorLines"), "ERROR");
        assert.equal(
            pattern("FailedToolExecutions"),
            '{ $.status = "error" && $.event_type = "tool_execution" }',
        );
        assert.equal(pattern("SlowRequests"), "{ $.duration_ms > 5000 }");
    });

    for (const [line, metrics] of LINES) {
        const message = typeof line === "string" ? line : JSON.stringify(line);
        it(`counts ${message} as ${metrics.join(", ") || "nothing"}`, () => {
            const counted = filters
                .filter(({ pattern }) => matchesPattern(pattern, message))
                .map(({ metricTransformation: { name } }) => name);
            assert.deepEqual(counted.sort(), metrics);
        });
    }

    it("counts no request of a probe or of the collector", () => {
        for (const path of ["/health", "/ready", "/metrics", "/mcp/health"]) {
            const message = JSON.stringify({ status_code: 503, duration_ms: 1, path });
            const counted = filters.filter(({ pattern }) => matchesPattern(pattern, message));
            assert.deepEqual(counted, [], path);
        }
        const message = JSON.stringify({ status_code: 503, duration_ms: 1, path: "/mcp" });
        const counted = filters
            .filter(({ pattern }) => matchesPattern(pattern, message))
            .map(({ metricTransformation: { name } }) => name);
        assert.deepEqual(counted.sort(), ["Errors", "RequestMilliseconds", "Requests", "Status503"]);
        // CloudWatch takes no longer pattern.
        assert.ok(filters.every(({ pattern }) => pattern.length <= 1024));
    });

    it("has its status where the values say", async () => {
        const other = await recordStack("production", "mcp:observability.statusField=http_status");
        const { pattern } = shown(only(other, FILTER, "mcp-production-server-Status429"));
        assert.match(pattern, /^\{ \$\.http_status = 429 && /);
        const { queryString } = shown(only(other, QUERY, "mcp-production-server-statuses"));
        assert.match(queryString, /^filter ispresent\(http_status\)$/m);
    });

    it("has saved queries, each of its group, in the folder of the stack", () => {
        const queries = production.resources.filter(({ type }) => type === QUERY).map(shown);
        assert.deepEqual(queries.map(({ name }) => name).sort(), [
            "mcp-production/Activity of a user",
            "mcp-production/Answers by status",
            "mcp-production/Durations",
            "mcp-production/Errors",
            "mcp-production/Failed tool executions",
            "mcp-production/Memory",
            "mcp-production/Requests slower than 5 s",
        ]);
        for (const { logGroupNames, queryString } of queries) {
            assert.deepEqual(logGroupNames, ["/mcp/production/server"]);
            // Every command but the first follows a pipe, and comments are before them.
            const commands = queryString.split("\n").filter((line: string) => !line.startsWith("#"));
            assert.match(commands[0], /^(fields|filter) /);
            assert.ok(commands.slice(1).every((line: string) => /^\| (filter|sort|limit|stats) /.test(line)));
        }
    });

    it("shows a user's activity, with an address to be put in place of another", () => {
        const { queryString } = shown(only(production, QUERY, "mcp-production-server-user-activity"));
        assert.deepEqual(queryString.split("\n"), [
            "# Set the time range in the console: one hour, as in section 6.2.",
            "# Put the user's address in place of this one.",
            "fields @timestamp, event_type, status, duration_ms, @message",
            '| filter user_id = "user@msil.com"',
            "| sort @timestamp desc",
            "| limit 200",
        ]);
    });
});
