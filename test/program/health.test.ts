import assert from "node:assert/strict";
import { parseHealthPlan } from "../../jobs/health";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { changesOf, linesOf, only, recordStack } from "../support";

const CRON = "kubernetes:batch/v1:CronJob";
const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
const inputsOf = (recording: Recording, type: string, name: string): any =>
    displayed(only(recording, type, name).inputs as never);

describe("the health check", () => {
    let production: Recording;
    before(async () => {
        production = await recordStack("production");
    });

    const planOf = (recording: Recording) =>
        parseHealthPlan(
            JSON.parse(
                inputsOf(recording, "kubernetes:core/v1:ConfigMap", "mcp-health-program").data["probe.json"],
            ),
        );

    it("asks all six rows of section 2.1, what the platform depends on, and its own hosts' certificates", () => {
        const { namespace, probes } = planOf(production);
        assert.equal(namespace, "MCP/production");
        const openid =
            "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/.well-known/openid-configuration";
        assert.deepEqual(
            probes.map((probe) => {
                const { name, kind } = probe;
                return [
                    name,
                    kind,
                    "url" in probe ? probe.url : "host" in probe ? probe.host : probe.secrets,
                ];
            }),
            [
                ["Admin Portal", "http", "http://admin-portal:3001/api/health"],
                ["Chat UI", "http", "http://chat-ui:3000/"],
                ["MCP Server", "http", "http://mcp-server:8000/health"],
                ["MCP Server Ready", "http", "http://mcp-server:8000/ready"],
                ["PostgreSQL", "postgres", "database"],
                ["Redis", "redis", "cache"],
                ["APIM", "http", "https://apim.msil.com/health"],
                ["Azure AD", "openid", openid],
                ["JWKS", "jwks", openid],
                ["Login certificate", "certificate", "login.microsoftonline.com"],
                ["Certificate mcp.msil.com", "certificate", "mcp.msil.com"],
                ["Certificate admin.mcp.msil.com", "certificate", "admin.mcp.msil.com"],
            ],
        );
        assert.deepEqual(
            probes.flatMap((probe) => ("trust" in probe ? [probe.trust] : [])),
            ["public", "any", "any"],
        );
    });

    it("asks in staging what staging has", async () => {
        const { namespace, probes } = planOf(await recordStack("staging"));
        assert.equal(namespace, "MCP/staging");
        assert.deepEqual(
            probes.flatMap((probe) => (probe.name === "APIM" && "url" in probe ? [probe.url] : [])),
            ["https://apim.staging.msil.com/health"],
        );
    });

    it("runs every five minutes in the runbook's zone, is over before its next run, and never beside it", () => {
        const { spec } = inputsOf(production, CRON, "mcp-health");
        assert.deepEqual(
            [spec.schedule, spec.timeZone, spec.concurrencyPolicy],
            ["*/5 * * * *", "Asia/Kolkata", "Forbid"],
        );
        assert.ok(spec.jobTemplate.spec.activeDeadlineSeconds < 300);
        assert.equal(spec.jobTemplate.spec.backoffLimit, 0);
    });

    it("counts, probes and then publishes, and shows each step the secrets that it needs", () => {
        const { spec } = inputsOf(production, CRON, "mcp-health").spec.jobTemplate.spec.template;
        const [idle, probe] = spec.initContainers;
        const [publish] = spec.containers;
        assert.deepEqual(
            [idle.command, probe.command, publish.command],
            [
                ["bash", "/opt/task/idle.sh"],
                ["node", "/opt/task/health.js", "/opt/task/probe.json"],
                ["bash", "/opt/task/metrics.sh"],
            ],
        );
        const mounts = (container: any) => container.volumeMounts.map(({ name }: any) => name);
        assert.ok(mounts(probe).includes("probe-secrets"));
        assert.deepEqual(
            mounts(publish).filter((name: string) => name.endsWith("-secrets")),
            [],
        );
        const paths = (volume: string) =>
            spec.volumes
                .find(({ name }: any) => name === volume)
                .projected.sources.map(({ secret }: any) => [
                    secret.name,
                    secret.items.map(({ path }: any) => path).join(" "),
                ]);
        assert.deepEqual(paths("probe-secrets"), [
            ["mcp-db-secret", "database/host database/port database/user database/database"],
            ["mcp-cache-secret", "cache/host cache/port cache/password"],
        ]);
        // A count takes a login, and so the password.
        assert.deepEqual(paths("idle-secrets"), [["mcp-db-secret", "host port user database password"]]);
        assert.deepEqual(
            idle.env.find(({ name }: any) => name === "FILE").value,
            planOf(production).idleConnections,
        );
    });

    it("may publish metrics under the stack's namespace, and do nothing else", () => {
        const { policy } = inputsOf(production, "aws:iam/rolePolicy:RolePolicy", "mcp-health");
        assert.deepEqual(JSON.parse(policy).Statement, [
            {
                Effect: "Allow",
                Action: ["cloudwatch:PutMetricData"],
                Resource: ["*"],
                Condition: { StringEquals: { "cloudwatch:namespace": "MCP/production" } },
            },
        ]);
        assert.equal(
            inputsOf(production, CRON, "mcp-health").spec.jobTemplate.spec.template.spec
                .automountServiceAccountToken,
            false,
        );
    });

    it("is let in by every service, on its own port", () => {
        for (const app of ["mcp-server", "admin-portal", "chat-ui"]) {
            const [{ from }] = inputsOf(production, POLICY, app).spec.ingress;
            assert.ok(
                from.some(
                    ({ podSelector }: any) =>
                        podSelector?.matchLabels?.["mcp.msil.com/task"] === "mcp-health",
                ),
                app,
            );
        }
        const { egress } = inputsOf(production, POLICY, "mcp-health").spec;
        const ports = egress.flatMap(({ to, ports }: any) =>
            to?.[0]?.podSelector ? [[to[0].podSelector.matchLabels.app, ports[0].port]] : [],
        );
        assert.deepEqual(ports, [
            ["admin-portal", 3001],
            ["chat-ui", 3000],
            ["mcp-server", 8000],
        ]);
    });

    it("by hand runs once a ticket, whatever becomes of its program meanwhile", async () => {
        const asked = "mcp:operations.healthCheck=INC-2041";
        const again = await recordStack("production", asked, "mcp:health.apim=https://other.example/health");
        const job = only(again, "kubernetes:batch/v1:Job", "mcp-health-inc-2041");
        assert.deepEqual(job.options.ignoreChanges, ["metadata", "spec"]);
        assert.deepEqual(
            only(again, "kubernetes:core/v1:ConfigMap", "mcp-health-inc-2041-program").options.ignoreChanges,
            ["metadata", "data"],
        );
        const lines = linesOf(await changesOf("production", "mcp:operations.healthCheck=INC-2042"));
        assert.deepEqual(lines, [
            "create kubernetes:batch/v1:Job mcp-health-inc-2042",
            "create kubernetes:core/v1:ConfigMap mcp-health-inc-2042-program",
        ]);
    });
});
