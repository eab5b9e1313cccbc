import assert from "node:assert/strict";
import { POSTGRES_READY } from "../../jobs/lib/sharedVolume";
import { parseHealthPlan } from "../../jobs/health";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { BEHIND_ALB, changesOf, linesOf, only, recordStack } from "../support";

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
                    "url" in probe
                        ? probe.url
                        : "host" in probe
                          ? probe.host
                          : probe.kind === "outside"
                            ? probe.file
                            : probe.kind === "redis"
                              ? probe.secrets
                              : "pg_isready",
                ];
            }),
            [
                ["Admin Portal", "http", "http://admin-portal:3001/api/health"],
                ["Chat UI", "http", "http://chat-ui:3000/"],
                ["MCP Server", "http", "http://mcp-server:8000/health"],
                ["MCP Server Ready", "http", "http://mcp-server:8000/ready"],
                ["PostgreSQL", "postgres", "pg_isready"],
                ["Redis", "redis", "cache"],
                ["Chat UI at mcp.msil.com", "outside", "chat-ui.mcp.msil.com"],
                ["MCP Server at mcp.msil.com", "outside", "mcp-server.mcp.msil.com"],
                ["Admin Portal at admin.mcp.msil.com", "outside", "admin-portal.admin.mcp.msil.com"],
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

    it("runs every two minutes in the runbook's zone, and never beside another run", () => {
        const { spec } = inputsOf(production, CRON, "mcp-health");
        assert.deepEqual(
            [spec.schedule, spec.timeZone, spec.concurrencyPolicy],
            ["*/2 * * * *", "Asia/Kolkata", "Forbid"],
        );
        // One that takes longer delays the next; an alarm looks at two and a half of them.
        assert.ok(spec.jobTemplate.spec.activeDeadlineSeconds <= 240);
        assert.equal(spec.jobTemplate.spec.backoffLimit, 0);
    });

    it("counts, probes and then publishes, and shows each step the secrets that it needs", () => {
        const { spec } = inputsOf(production, CRON, "mcp-health").spec.jobTemplate.spec.template;
        const [database, outside, probe] = spec.initContainers;
        const [publish] = spec.containers;
        assert.deepEqual(
            [database.command, outside.command, probe.command, publish.command],
            [
                ["bash", "/opt/task/health.sh"],
                ["bash", "/opt/task/outside.sh"],
                ["node", "/opt/task/health.js", "/opt/task/probe.json"],
                ["bash", "/opt/task/metrics.sh"],
            ],
        );
        const mounts = (container: any) => container.volumeMounts.map(({ name }: any) => name);
        assert.ok(mounts(probe).includes("probe-secrets"));
        assert.deepEqual(
            [outside, publish].flatMap(mounts).filter((name: string) => name.endsWith("-secrets")),
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
            ["mcp-cache-secret", "cache/host cache/port cache/password"],
        ]);
        // A count takes a login, and so the password.
        assert.deepEqual(paths("database-secrets"), [["mcp-db-secret", "host port database user password"]]);
        assert.deepEqual(
            database.env.flatMap(({ name, value }: any) => (/^(READY|IDLE)$/.test(name) ? [value] : [])),
            [POSTGRES_READY, planOf(production).idleConnections],
        );
    });

    it("may publish metrics under the stack's namespace, and do nothing else but ask what is found outside", async () => {
        const staging = await recordStack("staging");
        const { policy } = inputsOf(staging, "aws:iam/rolePolicy:RolePolicy", "mcp-health");
        assert.deepEqual(JSON.parse(policy).Statement, [
            {
                Effect: "Allow",
                Action: ["cloudwatch:PutMetricData"],
                Resource: ["*"],
                Condition: { StringEquals: { "cloudwatch:namespace": "MCP/staging" } },
            },
        ]);
        const outside = JSON.parse(
            inputsOf(production, "aws:iam/rolePolicy:RolePolicy", "mcp-health").policy as string,
        ) as { Statement: { Action: string[]; Resource: string[] }[] };
        assert.deepEqual(
            outside.Statement.slice(1).map(({ Action, Resource }) => [Action, Resource]),
            [
                [
                    ["route53:GetHealthCheckStatus"],
                    ["chat-ui.mcp", "mcp-server.mcp", "admin-portal.admin.mcp"].map(
                        (endpoint) =>
                            `arn:aws:route53:::healthcheck/<mcp-production-outside-${endpoint}.msil.com>`,
                    ),
                ],
            ],
        );
        const { propertyDependencies } = only(production, "aws:iam/rolePolicy:RolePolicy", "mcp-health");
        assert.deepEqual(
            propertyDependencies["policy"]!.map((urn) => urn.split("::").at(-1)),
            ["admin-portal.admin.mcp", "chat-ui.mcp", "mcp-server.mcp"].map(
                (endpoint) => `mcp-production-outside-${endpoint}.msil.com`,
            ),
        );
        assert.equal(
            inputsOf(production, CRON, "mcp-health").spec.jobTemplate.spec.template.spec
                .automountServiceAccountToken,
            false,
        );
    });

    it("has the public hosts asked from around the world, at the health paths that they lead to", async () => {
        const CHECK = "aws:route53/healthCheck:HealthCheck";
        const checksIn = ({ resources }: Recording) =>
            resources
                .filter(({ type }) => type === CHECK)
                .map(({ inputs: { fqdn, resourcePath } }) => `${fqdn as string}${resourcePath as string}`);
        assert.deepEqual(
            inputsOf(production, CHECK, "mcp-production-outside-admin-portal.admin.mcp.msil.com"),
            {
                type: "HTTPS",
                fqdn: "admin.mcp.msil.com",
                port: 443,
                resourcePath: "/api/health",
                requestInterval: 10,
                failureThreshold: 3,
                tags: {
                    Name: "admin.mcp.msil.com/api/health",
                    Component: "Admin Portal at admin.mcp.msil.com",
                },
            },
        );
        // MCP Server is at /mcp, and its health where mcp:health.paths says.
        assert.deepEqual(checksIn(production), [
            "mcp.msil.com/",
            "mcp.msil.com/mcp/health",
            "admin.mcp.msil.com/api/health",
        ]);
        assert.deepEqual(checksIn(await recordStack("staging")), []);
        const outside = ["mcp:health.outside=true", "mcp:health.paths.mcp-server=/mcp/health"];
        assert.deepEqual(checksIn(await recordStack("staging", ...outside)), [
            "staging.mcp.msil.com/",
            "staging.mcp.msil.com/mcp/health",
            "admin.staging.mcp.msil.com/api/health",
        ]);
        assert.deepEqual(checksIn(await recordStack("production", "mcp:health.outside=false")), []);
        // An ALB is internal, unless its scheme says otherwise.
        assert.deepEqual(checksIn(await recordStack("production", ...BEHIND_ALB)), []);
        const facing = [...BEHIND_ALB, "mcp:ingress.alb.scheme=internet-facing"];
        assert.deepEqual(checksIn(await recordStack("production", ...facing)), checksIn(production));
        // The longest path decides: now the portal answers at this one.
        const path = "mcp:ingress.hosts[0].paths[1]";
        const moved = [`${path}.path=/api`, `${path}.workload=admin-portal`];
        assert.deepEqual(checksIn(await recordStack("production", ...moved)), [
            "mcp.msil.com/",
            "mcp.msil.com/api/health",
            "admin.mcp.msil.com/api/health",
        ]);
    });

    it("publishes what is seen from outside once a minute, without the cluster", () => {
        const { scheduleExpression } = inputsOf(
            production,
            "aws:scheduler/schedule:Schedule",
            "mcp-production-outside",
        );
        assert.equal(scheduleExpression, "cron(* * * * ? *)");
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
        // All of its metadata includes what the provider marks a name with, of which every preview would warn.
        assert.deepEqual(job.options.ignoreChanges, ["metadata.labels", "spec"]);
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
