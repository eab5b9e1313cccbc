import assert from "node:assert/strict";
import { outsideMachine } from "../../components/observability/outsideMachine";
import { execute, type Fake, TaskError } from "./interpreter";

const LOOK = "arn:aws:states:::aws-sdk:route53:getHealthCheckStatus";
const PUBLISH = "arn:aws:states:::aws-sdk:cloudwatch:putMetricData";

const machine = outsideMachine({ metrics: "MCP/production" });
const ENDPOINTS = [
    { name: "Chat UI at mcp.msil.com", id: "check-1" },
    { name: "MCP Server at mcp.msil.com", id: "check-2" },
];
const SUCCESS = "Success: HTTP Status Code 200, OK. Resolved IP: 203.0.113.7.";
const FAILURE = "Failure: The endpoint refused the connection.";

const observed = (successes: number, failures: number) => ({
    HealthCheckObservations: [
        ...Array<string>(successes).fill(SUCCESS),
        ...Array<string>(failures).fill(FAILURE),
    ].map((Status) => ({ Region: "ap-south-1", StatusReport: { Status } })),
});

/** Runs it once; returns how it ended, and what was published by component. */
async function look(found: Fake, publish: Fake = () => ({})) {
    const done = await execute(machine, {
        fakes: { [LOOK]: found, [PUBLISH]: publish },
        input: { endpoints: ENDPOINTS },
        time: "2026-02-01T12:00:00Z",
    });
    const published = done.calls
        .filter(({ resource }) => resource === PUBLISH)
        .map(({ arguments: { Namespace, MetricData } }) => {
            const [{ MetricName, Dimensions, Value }] = MetricData as [
                { MetricName: string; Dimensions: { Name: string; Value: string }[]; Value: number },
            ];
            assert.deepEqual(
                [Namespace, MetricName, Dimensions[0]!.Name],
                ["MCP/production", "Reachable", "Component"],
            );
            return [Dimensions[0]!.Value, Value] as const;
        });
    return { done, published };
}

describe("the check from outside", () => {
    it("publishes of each endpoint what its own checkers see", async () => {
        const { done, published } = await look(({ HealthCheckId }) =>
            HealthCheckId === "check-1" ? observed(16, 0) : observed(0, 16),
        );
        assert.equal(done.status, "SUCCEEDED");
        assert.deepEqual(Object.fromEntries(published), {
            "Chat UI at mcp.msil.com": 1,
            "MCP Server at mcp.msil.com": 0,
        });
    });

    it("counts one as reached while more than 18 % of the checkers reach it, as Route 53 does", async () => {
        for (const [successes, failures, expected] of [
            [19, 81, 1],
            [18, 82, 0],
            [1, 4, 1],
            [1, 0, 1],
            // Before anybody has looked.
            [0, 0, 0],
        ] as const) {
            const { published } = await look(() => observed(successes, failures));
            assert.deepEqual(
                published.map(([, value]) => value),
                [expected, expected],
                `${successes} of ${successes + failures}`,
            );
        }
    });

    it("tries again what AWS refuses once, within its minute", async () => {
        let tries = 0;
        const { done, published } = await look(() => {
            tries += 1;
            if (tries === 1) throw new TaskError("Route53.ThrottlingException", "Rate exceeded");
            return observed(16, 0);
        });
        assert.equal(done.status, "SUCCEEDED");
        assert.equal(published.length, 2);
        assert.equal(tries, 3);
    });

    it("publishes the others where one cannot be asked or published, and nothing in its place", async () => {
        const asked = await look(({ HealthCheckId }) => {
            if (HealthCheckId === "check-1")
                throw new TaskError("Route53.NoSuchHealthCheckException", "gone");
            return observed(16, 0);
        });
        assert.equal(asked.done.status, "SUCCEEDED");
        assert.deepEqual(asked.published, [["MCP Server at mcp.msil.com", 1]]);
        const refused = await look(
            () => observed(16, 0),
            ({ MetricData }) => {
                if (JSON.stringify(MetricData).includes("Chat UI"))
                    throw new TaskError("CloudWatch.Refused", "no");
                return {};
            },
        );
        assert.equal(refused.done.status, "SUCCEEDED");
        assert.equal(refused.published.at(-1)![0], "MCP Server at mcp.msil.com");
    });
});
