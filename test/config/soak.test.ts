import assert from "node:assert/strict";
import { parseStack } from "../../config";
import { linesOf, withValue } from "./stackValues";

const SOAK = "workloads/mcp-server/soak";
const AT = "mcp:workloads.mcp-server.soak";

describe("soak values", () => {
    /** Each passes as a value of the stack file alone, and would fail in the cluster after the switch. */
    const bad: [value: string, content: unknown, line: string][] = [
        ["duration", "2d", `.duration: found "2d", expected at most 12h`],
        ["duration", "1d", `.duration: found "1d", expected at most 12h`],
        ["counters/pattern", "^5[", `.counters.pattern: found "^5[", expected a regular expression`],
        ["select", { user_agent: "(" }, `.select.user_agent: found "(", expected a regular expression`],
        [
            "exclude",
            { "http.route": "*" },
            `.exclude["http.route"]: found "*", expected a regular expression`,
        ],
        [
            "metrics",
            { queue: { url: "http://prometheus.monitoring:9090", query: "queue" } },
            '.metrics.queue: found {"url":"http://prometheus.monitoring:9090","query":"queue"}, expected max, min or both',
        ],
        [
            "metrics",
            { queue: { query: "queue", max: 1 } },
            ".metrics.queue.url: found nothing, expected a base URL such as http://prometheus:9090",
        ],
        ["baseline/duration", "1d", `.baseline.duration: found "1d", expected at most 1h`],
        ["synthetic/interval", "2h", `.synthetic.interval: found "2h", expected at most 10m`],
        [
            "latency/maxP95",
            "500ms",
            `.latency.maxP95: found "500ms", expected a whole number from 1 to 600000`,
        ],
        ["metrics", { queue: { max: 1 } }, '.metrics.queue: found {"max":1}, expected query or cloudwatch'],
        [
            "metrics",
            { queue: { query: "queue", cloudwatch: { namespace: "MCP", metric: "Queue" }, max: 1 } },
            '.metrics.queue.query: found "queue", expected nothing, because cloudwatch is set',
        ],
        [
            "metrics",
            { queue: { cloudwatch: { namespace: "MCP", metric: "Queue", statistic: "Median" }, max: 1 } },
            '.metrics.queue.cloudwatch.statistic: found "Median", expected Average, Sum, Minimum, Maximum, SampleCount or a percentile such as p95',
        ],
    ];
    for (const [value, content, line] of bad) {
        it(`refuse ${value} ${JSON.stringify(content)}`, () => {
            assert.deepEqual(linesOf(withValue(`${SOAK}/${value}`, content)), [AT + line]);
        });
    }

    it("refuse what no release of production fails, and take it in a trial", () => {
        for (const [value, content, line] of [
            ["maxErrorRate", 100, ".maxErrorRate: found 100, expected less than 50 in production"],
            ["maxErrorRate", 50, ".maxErrorRate: found 50, expected less than 50 in production"],
            [
                "exclude",
                { path: ".*" },
                /^\.exclude\.path: found "\.\*", expected a pattern that leaves requests/,
            ],
            ["exclude", { path: "^/" }, /^\.exclude\.path: found/],
            ["exclude", { method: "GET|POST" }, /^\.exclude\.method: found/],
            ["exclude", { code: "." }, /^\.exclude\.code: found/],
            ["counters/pattern", "^6", /^\.counters\.pattern: found "\^6", expected a pattern that matches/],
            ["counters/pattern", "$^", /^\.counters\.pattern: found/],
        ] as const) {
            const path = `${SOAK}/${value}`;
            const lines = linesOf(withValue(path, content)).map((each) => each.replace(AT, ""));
            assert.equal(lines.length, 1, path);
            if (typeof line === "string") assert.equal(lines[0], line);
            else assert.match(lines[0]!, line);
            assert.deepEqual(linesOf(withValue(path, content, "staging")), [], path);
        }
        const short = { duration: "59s", onNoData: "pass" };
        assert.match(linesOf(withValue(SOAK, short)).join("\n"), /^mcp:\S+\.soak\.onNoData: found "pass"/);
        assert.deepEqual(linesOf(withValue(SOAK, short, "staging")), []);
        for (const good of [
            { duration: "59s" },
            { duration: "1m", onNoData: "pass" },
            { maxErrorRate: 49 },
            { exclude: { path: "^/(health|metrics)", user_agent: "kube-probe|curl" } },
            { counters: { label: "outcome", pattern: "^bad$" } },
            { counters: { label: "status_code", pattern: "5.." } },
        ]) {
            assert.deepEqual(linesOf(withValue(SOAK, good)), [], JSON.stringify(good));
        }
    });

    it("take Prometheus and metrics of one's own", () => {
        const values = withValue(SOAK, {
            prometheus: { url: "http://prometheus.monitoring:9090", requests: "a", errors: "b", p95: "c" },
            metrics: {
                queue: { query: "d", max: 10 },
                saturation: { cloudwatch: { namespace: "MCP/production", metric: "Saturation" }, max: 90 },
            },
            exclude: { user_agent: "kube-probe" },
        });
        assert.deepEqual(parseStack(values).problems, []);
    });
});
