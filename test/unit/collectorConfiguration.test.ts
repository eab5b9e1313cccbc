import assert from "node:assert/strict";
import { collectorConfiguration } from "../../components/observability/collectorConfiguration";

describe("the collector's configuration", () => {
    it("has no dollar sign of a path that the collector would take for a variable", () => {
        const target = { service: "reports", host: "reports", port: 80, path: "/metrics?a=${env:HOME}&b=$X" };
        const configuration = collectorConfiguration({
            region: "ap-south-1",
            targets: [target],
            intervalSeconds: 30,
            namespace: "MCP/staging",
            logGroup: "/mcp/staging/metrics",
        });
        assert.match(JSON.stringify(configuration), /"metrics_path":"\/metrics\?a=\$\$\{env:HOME\}&b=\$\$X"/);
    });
});
