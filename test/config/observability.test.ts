import assert from "node:assert/strict";
import { linesOf, type Values, valuesOf, withValue } from "./stackValues";

describe("values of logs and metrics", () => {
    const bad: [what: string, stack: string, path: string, value: unknown, line: string][] = [
        [
            "a retention that CloudWatch does not take",
            "production",
            "observability/retention",
            "366d",
            'mcp:observability.retention: found "366d", expected a retention that CloudWatch accepts: ' +
                "1d, 3d, 5d, 7d, 14d, 30d, 60d, 90d, 120d, 150d, 180d, 365d, 400d, 545d, 731d, 1096d, 1827d, " +
                "2192d, 2557d, 2922d, 3288d, 3653d",
        ],
        [
            "a shorter retention than the runbook's in production",
            "production",
            "observability/retention",
            "180d",
            'mcp:observability.retention: found "180d", expected at least 365d (section 5.3)',
        ],
        [
            "a retention of days in staging",
            "staging",
            "observability/retention",
            "14d",
            'mcp:observability.retention: found "14d", expected at least 30d (section 5.3)',
        ],
        [
            "a field of audit events that is none",
            "production",
            "observability/audit/field",
            "$.event_type",
            'mcp:observability.audit.field: found "$.event_type", expected the name of a top-level field, such as event_type',
        ],
        [
            "a pattern in place of a text",
            "production",
            "observability/audit/value",
            "audit|login",
            'mcp:observability.audit.value: found "audit|login", expected a text of letters, digits, _, . and -, such as audit',
        ],
        [
            "a shipper without image",
            "production",
            "jobs/images/fluentBit",
            undefined,
            "mcp:jobs.images.fluentBit: found nothing, expected an image, because it ships the pods' logs",
        ],
        [
            "a collector without image",
            "production",
            "jobs/images/collector",
            undefined,
            "mcp:jobs.images.collector: found nothing, expected an image, because it collects their metrics",
        ],
        [
            "metrics less often than CloudWatch keeps them",
            "production",
            "observability/metrics/interval",
            "2m",
            'mcp:observability.metrics.interval: found "2m", expected 10s to 60s',
        ],
        [
            "metrics of nothing",
            "production",
            "observability/metrics/workloads",
            [],
            "mcp:observability.metrics.workloads: found [], expected at least one workload",
        ],
        [
            "metrics of a workload that there is not",
            "production",
            "observability/metrics/workloads",
            ["mcp-server", "tools"],
            'mcp:observability.metrics.workloads[1]: found "tools", expected one of mcp-server, admin-portal, chat-ui',
        ],
        [
            "a field of the status that is none",
            "production",
            "observability/statusField",
            "http.status",
            'mcp:observability.statusField: found "http.status", expected the name of a top-level field, such as event_type',
        ],
        [
            "a version that no add-on has",
            "production",
            "observability/podMetrics",
            { version: "latest" },
            'mcp:observability.podMetrics.version: found "latest", expected a version of an add-on, such as v4.4.0-eksbuild.1',
        ],
        [
            "pod metrics that are only switched on",
            "production",
            "observability/podMetrics",
            true,
            "mcp:observability.podMetrics: found true, expected false, or an object with the add-on's version",
        ],
    ];
    for (const [what, stack, path, value, line] of bad) {
        it(`refuse ${what}`, () => assert.deepEqual(linesOf(withValue(path, value, stack)), [line]));
    }

    it("refuse a cluster on which pods have no rights on AWS", () => {
        const values = withValue("kubernetes/cluster", undefined);
        values["kubernetes"] = { ...(values["kubernetes"] as object), context: "test" };
        assert.ok(
            linesOf(values).some((line) =>
                line.endsWith("mcp:kubernetes.cluster, because pods have AWS rights on EKS only"),
            ),
        );
    });

    for (const name of ["jobs", "metrics", "audit", "audit-delivery", "patches", "server"]) {
        it(`refuse a service named ${name}, which something else is`, () => {
            const { workloads } = valuesOf("production") as { workloads: Record<string, Values> };
            const service = { ...workloads["chat-ui"], port: 1, health: { live: "/", ready: "/" } };
            assert.deepEqual(
                linesOf(withValue(`workloads/${name}`, service)).map((line) =>
                    line.replace(/found .*, /, ""),
                ),
                [
                    `mcp:workloads.${name}: expected another name: mcp:observability declares a log group of this name`,
                ],
            );
        });
    }

    it("need MCP Server, whose log they search", () => {
        const values = valuesOf("production") as { workloads: Values; secrets: Values; ingress?: unknown };
        delete values.workloads["mcp-server"];
        assert.ok(
            linesOf(values as unknown as Values).includes(
                "mcp:workloads.mcp-server: found nothing, expected a workload, because mcp:observability searches its log",
            ),
        );
    });

    it("may be left out, and keep more than the runbook asks for", () => {
        const values = valuesOf("production");
        delete values["observability"];
        delete values["objectives"];
        assert.deepEqual(linesOf(values), []);
        assert.deepEqual(linesOf(withValue("observability/retention", "731d")), []);
        assert.deepEqual(linesOf(withValue("observability/podMetrics", false)), []);
    });
});
