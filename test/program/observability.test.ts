import assert from "node:assert/strict";
import { displayed } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";
import { LOG_RETENTION_DAYS, TRIAL_LOG_RETENTION_DAYS } from "../../core/numbers";
import { changesOf, linesOf, only, recordStack } from "../support";

const GROUP = "aws:cloudwatch/logGroup:LogGroup";
const DAEMON = "kubernetes:apps/v1:DaemonSet";
const CONFIG = "kubernetes:core/v1:ConfigMap";

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
const shown = (resource: RecordedResource): any => displayed(resource.inputs as never);
const inputsOf = (recording: Recording, type: string, name: string) => shown(only(recording, type, name));

const METRICS = "mcp-metrics";

const recordings: Record<string, Recording> = {};
before(async () => {
    for (const stack of ["production", "staging"]) {
        recordings[stack] = await recordStack(stack);
    }
});

/** Fluent Bit's configuration in a stack. */
function fluentBit(stack: string): any {
    const { data } = inputsOf(recordings[stack]!, CONFIG, `mcp-${stack}-logs-config`);
    return JSON.parse(data["fluent-bit.yaml"]);
}

describe("the log groups", () => {
    const groupsOf = (stack: string) =>
        recordings[stack]!.resources.filter(
            ({ type, name }) => type === GROUP && name.startsWith(`mcp-${stack}-logs-`),
        );

    it("are one for each service and one for jobs, of the class with filters, with a separate key", () => {
        const groups = groupsOf("production");
        assert.deepEqual(groups.map(({ inputs }) => inputs["name"]).sort(), [
            "/mcp/production/admin-portal",
            "/mcp/production/chat-ui",
            "/mcp/production/jobs",
            "/mcp/production/metrics",
            "/mcp/production/server",
        ]);
        for (const group of groups) {
            const { name, logGroupClass, retentionInDays, skipDestroy } = shown(group);
            assert.deepEqual(
                [logGroupClass, retentionInDays, skipDestroy, group.options.protect],
                ["STANDARD", name.endsWith("/metrics") ? 14 : LOG_RETENTION_DAYS, true, undefined],
            );
            assert.ok(group.dependencies.some((urn) => urn.endsWith("aws:kms/key:Key::mcp-production-logs")));
        }
        assert.equal(LOG_RETENTION_DAYS, 365);
    });

    it("of staging are kept for a month, and go with the stack", () => {
        for (const group of groupsOf("staging")) {
            const { name, retentionInDays, skipDestroy } = shown(group);
            assert.match(name, /^\/mcp\/staging\//);
            assert.deepEqual(
                [retentionInDays, skipDestroy, group.options.protect],
                [name.endsWith("/metrics") ? 14 : TRIAL_LOG_RETENTION_DAYS, false, undefined],
            );
        }
    });

    it("may be kept longer, but for MCP Server's, of which the runbook speaks", async () => {
        const changes = await changesOf("production", "mcp:observability.retention=731d");
        assert.deepEqual(
            linesOf(changes),
            ["admin-portal", "chat-ui", "jobs"].map(
                (group) => `update ${GROUP} mcp-production-logs-${group}`,
            ),
        );
    });

    it("are there for a service that is added, with a way to them", async () => {
        const added = await recordStack(
            "production",
            ...[
                "image=tools",
                "port=1",
                "health.live=/",
                "health.ready=/",
                "release.version=v1",
                "scaling.min=2",
                "scaling.max=2",
                "resources.cpu.request=1",
                "resources.cpu.limit=1",
                "resources.memory.request=1Mi",
                "resources.memory.limit=1Mi",
            ].map((edit) => `mcp:workloads.tools.${edit}`),
        );
        assert.equal(inputsOf(added, GROUP, "mcp-production-logs-tools").name, "/mcp/production/tools");
        const config = inputsOf(added, CONFIG, "mcp-production-logs-config").data["fluent-bit.yaml"];
        assert.match(config, /"match": "service\.tools\.\*"/);
    });

    it("are encrypted by a key that CloudWatch may use for them, and for no other account's", () => {
        const { policy } = inputsOf(recordings["production"]!, "aws:kms/key:Key", "mcp-production-logs");
        const [, logs, ...others] = JSON.parse(policy).Statement;
        assert.deepEqual(others, []);
        assert.deepEqual(logs.Principal, { Service: "logs.ap-south-1.amazonaws.com" });
        assert.deepEqual(logs.Condition, {
            ArnLike: {
                "kms:EncryptionContext:aws:logs:arn":
                    "arn:aws:logs:ap-south-1:000000000000:log-group:/mcp/production/*",
            },
        });
    });
});

describe("the log shipper", () => {
    for (const stack of ["production", "staging"]) {
        it(`of ${stack} runs on every node, as root of nothing but the pods' logs and its own state`, () => {
            const { spec, metadata } = inputsOf(recordings[stack]!, DAEMON, `mcp-${stack}-logs`);
            const pod = spec.template.spec;
            assert.equal(metadata.namespace, `mcp-${stack}-logs`);
            assert.deepEqual(pod.tolerations, [{ operator: "Exists" }]);
            assert.deepEqual(spec.updateStrategy, {
                type: "RollingUpdate",
                rollingUpdate: { maxUnavailable: 1 },
            });
            assert.deepEqual(pod.securityContext, {
                runAsUser: 0,
                runAsGroup: 0,
                seccompProfile: { type: "RuntimeDefault" },
            });
            const [container, ...others] = pod.containers;
            assert.deepEqual(others, []);
            assert.deepEqual(container.securityContext, {
                allowPrivilegeEscalation: false,
                privileged: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"] },
            });
            assert.deepEqual(
                pod.volumes.flatMap(({ hostPath }: any) => hostPath ?? []),
                [
                    { path: "/var/log/pods", type: "Directory" },
                    { path: `/var/lib/mcp-logs/mcp-${stack}-logs`, type: "DirectoryOrCreate" },
                ],
            );
            const readOnly = Object.fromEntries(
                container.volumeMounts.map((mount: any) => [mount.mountPath, mount.readOnly === true]),
            );
            assert.deepEqual(readOnly, { "/etc/mcp": true, "/var/log/pods": true, "/state": false });
            assert.equal(pod.automountServiceAccountToken, false);
            assert.equal(container.livenessProbe.httpGet.path, "/");
            assert.equal(container.readinessProbe.httpGet.path, "/api/v1/health");
        });

        it(`of ${stack} is alone in the namespace that admits that`, () => {
            const { resources } = recordings[stack]!;
            const own = `mcp-${stack}-logs`;
            const { metadata } = inputsOf(recordings[stack]!, "kubernetes:core/v1:Namespace", own);
            assert.equal(metadata.labels["pod-security.kubernetes.io/enforce"], "privileged");
            const inside = resources.filter(({ inputs }) => (inputs["metadata"] as any)?.namespace === own);
            assert.deepEqual(inside.map(({ type }) => type.split(":").at(-1)).sort(), [
                "ConfigMap",
                "DaemonSet",
                "NetworkPolicy",
                "ServiceAccount",
            ]);
        });

        it(`of ${stack} may write to exactly the groups it sends to`, () => {
            const { policy } = inputsOf(
                recordings[stack]!,
                "aws:iam/rolePolicy:RolePolicy",
                `mcp-${stack}-logs`,
            );
            const sent = fluentBit(stack).pipeline.outputs.map((output: any) => output.log_group_name);
            assert.deepEqual(JSON.parse(policy).Statement, [
                {
                    Effect: "Allow",
                    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
                    Resource: [
                        ...new Set(
                            sent.map(
                                (group: string) =>
                                    `arn:aws:logs:ap-south-1:000000000000:log-group:${group}:*`,
                            ),
                        ),
                    ],
                },
            ]);
        });

        it(`of ${stack} sends to declared groups only`, () => {
            const declared = recordings[stack]!.resources.filter(({ type }) => type === GROUP).map(
                ({ inputs }) => inputs["name"],
            );
            for (const { log_group_name: group } of fluentBit(stack).pipeline.outputs) {
                assert.ok(declared.includes(group), group);
            }
        });
    }

    it("reads the stack's namespace alone, the services apart from everything else", () => {
        const [services, jobs] = fluentBit("production").pipeline.inputs;
        const files = ["admin-portal", "chat-ui", "mcp-server"]
            .map((container) => `/var/log/pods/mcp-production_*/${container}/*.log`)
            .join(",");
        assert.equal(services.path, files);
        assert.deepEqual([jobs.path, jobs.exclude_path], ["/var/log/pods/mcp-production_*/*/*.log", files]);
    });

    it("keeps on the node's disk what waits, within limits", () => {
        const { service, pipeline } = fluentBit("production");
        assert.equal(service["storage.path"], "/state/buffer");
        for (const input of pipeline.inputs) {
            assert.equal(input["storage.type"], "filesystem");
            assert.match(input.db, /^\/state\//);
        }
        for (const output of pipeline.outputs) {
            assert.equal(output["storage.total_limit_size"], "200M");
            assert.equal(output.auto_create_group, "off");
        }
    });

    it("copies the events that are marked as the values say", async () => {
        const rule = (config: any) =>
            config.pipeline.filters.find(({ name }: any) => name === "rewrite_tag")?.rule;
        assert.equal(rule(fluentBit("production")), "$event_type ^audit$ audit.$TAG true");
        const other = await recordStack(
            "production",
            "mcp:observability.audit.field=kind",
            "mcp:observability.audit.value=audit.v1",
        );
        const { data } = inputsOf(other, CONFIG, "mcp-production-logs-config");
        assert.equal(rule(JSON.parse(data["fluent-bit.yaml"])), "$kind ^audit\\.v1$ audit.$TAG true");
    });

    it("goes out with a new configuration, and with nothing else", async () => {
        assert.deepEqual(linesOf(await changesOf("production", "mcp:observability.audit.value=other")), [
            `replace ${CONFIG} mcp-production-logs-config`,
            `update ${DAEMON} mcp-production-logs`,
        ]);
    });
});

describe("the collector of metrics", () => {
    const collector = (stack: string): any =>
        JSON.parse(inputsOf(recordings[stack]!, CONFIG, `${METRICS}-config`).data["collector.yaml"]);

    it("asks every pod of MCP Server for what the runbook looks for in its metrics", () => {
        const [scrape, ...others] = collector("production").receivers.prometheus.config.scrape_configs;
        assert.deepEqual(others, []);
        assert.deepEqual(
            [scrape.job_name, scrape.metrics_path, scrape.dns_sd_configs],
            [
                "mcp-server",
                "/metrics",
                [
                    {
                        names: ["mcp-metrics-mcp-server.mcp-production.svc.cluster.local"],
                        type: "A",
                        port: 8000,
                    },
                ],
            ],
        );
        const [{ regex }] = scrape.metric_relabel_configs;
        const kept = [
            "request_duration_seconds_bucket",
            "requests_total",
            "http_requests_total",
            "errors_total",
            "tool_error_count",
            "circuit_breaker_state",
            "db_pool_size",
        ];
        for (const name of kept) {
            assert.match(name, new RegExp(`^(?:${regex})$`));
        }
        assert.doesNotMatch("process_cpu_seconds_total", new RegExp(`^(?:${regex})$`));
    });

    it("finds the pods of both colours by a name in DNS, ready or not", () => {
        const { spec } = inputsOf(
            recordings["production"]!,
            "kubernetes:core/v1:Service",
            `${METRICS}-mcp-server`,
        );
        assert.deepEqual(
            [spec.clusterIP, spec.publishNotReadyAddresses, spec.selector],
            ["None", true, { app: "mcp-server" }],
        );
    });

    it("hands them to CloudWatch as what came since the last time, by service", () => {
        const { exporters, service } = collector("staging");
        assert.deepEqual(service.pipelines.metrics.processors, ["cumulativetodelta", "resource"]);
        const { namespace, log_group_name: group, metric_declarations: declarations } = exporters.awsemf;
        assert.deepEqual([namespace, group], ["MCP/staging", "/mcp/staging/metrics"]);
        assert.deepEqual(declarations, [
            {
                dimensions: [["Service"]],
                metric_name_selectors: [
                    "request_duration",
                    "requests_total",
                    "error",
                    "circuit_breaker",
                    "db_pool",
                ],
            },
        ]);
    });

    it("is let in by the services it asks, on their port, and by no other", () => {
        const { resources } = recordings["production"]!;
        const admitting = resources.filter(
            ({ type, inputs }) =>
                type === "kubernetes:networking.k8s.io/v1:NetworkPolicy" &&
                JSON.stringify(shown({ inputs } as RecordedResource).spec.ingress ?? []).includes(METRICS),
        );
        assert.deepEqual(
            admitting.map(({ name }) => name),
            ["mcp-server"],
        );
    });

    it("is one pod, of the restricted profile, without a token, that may write to its log group alone", () => {
        const { spec } = inputsOf(recordings["production"]!, "kubernetes:apps/v1:Deployment", METRICS);
        assert.equal(spec.replicas, 1);
        const pod = spec.template.spec;
        assert.deepEqual([pod.automountServiceAccountToken, pod.securityContext.runAsNonRoot], [false, true]);
        const { policy } = inputsOf(
            recordings["production"]!,
            "aws:iam/rolePolicy:RolePolicy",
            "mcp-production-metrics",
        );
        assert.deepEqual(JSON.parse(policy).Statement, [
            {
                Effect: "Allow",
                Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
                Resource: ["arn:aws:logs:ap-south-1:000000000000:log-group:/mcp/production/metrics:*"],
            },
        ]);
    });

    it("asks the services and as often as the values say", async () => {
        const other = await recordStack(
            "production",
            "mcp:observability.metrics.interval=15s",
            "mcp:observability.metrics.workloads[0]=mcp-server",
            "mcp:observability.metrics.workloads[1]=admin-portal",
        );
        const { data } = inputsOf(other, CONFIG, `${METRICS}-config`);
        const { config } = JSON.parse(data["collector.yaml"]).receivers.prometheus;
        assert.equal(config.global.scrape_interval, "15s");
        assert.deepEqual(
            config.scrape_configs.map(({ job_name }: any) => job_name),
            ["mcp-server", "admin-portal"],
        );
        const { spec } = inputsOf(other, "kubernetes:networking.k8s.io/v1:NetworkPolicy", "admin-portal");
        assert.ok(JSON.stringify(spec.ingress).includes(METRICS));
    });
});

describe("the metrics of pods", () => {
    const ADDON = "aws:eks/addon:Addon";

    it("come from the add-on, with all its other functions disabled", () => {
        const addon = inputsOf(recordings["production"]!, ADDON, "mcp-production-pods");
        assert.deepEqual(
            [addon.clusterName, addon.addonName, addon.addonVersion],
            ["mcp-production", "amazon-cloudwatch-observability", undefined],
        );
        assert.deepEqual(JSON.parse(addon.configurationValues), {
            agent: {
                config: {
                    logs: { metrics_collected: { kubernetes: { enhanced_container_insights: true } } },
                },
            },
            containerLogs: { enabled: false },
        });
    });

    it("are made of events that end, under a key", () => {
        const { resources } = recordings["production"]!;
        const name = "/aws/containerinsights/mcp-production/performance";
        const [group] = resources.filter(({ inputs }) => inputs["name"] === name);
        assert.equal(shown(group!).retentionInDays, 14);
        assert.ok(group!.dependencies.some((urn) => urn.endsWith("aws:kms/key:Key::mcp-production-pods")));
        const addon = only(recordings["production"]!, ADDON, "mcp-production-pods");
        assert.ok(addon.dependencies.includes(group!.urn));
    });

    it("have the add-on's version of the values, or somebody else's add-on", async () => {
        const version = "v4.4.0-eksbuild.1";
        assert.deepEqual(
            linesOf(await changesOf("production", `mcp:observability.podMetrics.version=${version}`)),
            [`update ${ADDON} mcp-production-pods`],
        );
        const without = await recordStack("production", "mcp:observability.podMetrics=false");
        assert.deepEqual(
            without.resources.filter(({ type }) => type === ADDON),
            [],
        );
    });
});

describe("the dashboard", () => {
    const widgets = ({ resources }: Recording): any[] =>
        resources
            .filter(({ type }) => type === "aws:cloudwatch/dashboard:Dashboard")
            .flatMap((dashboard) => JSON.parse(shown(dashboard).dashboardBody).widgets);

    it("has a row for each playbook, within its columns and without overlaps", () => {
        const all = widgets(recordings["production"]!);
        const titles = all.flatMap(({ properties: { markdown } }) => markdown ?? []);
        assert.deepEqual(titles, [
            "## Error rate, traffic and tools (4.3.1, 6.1)",
            "## Database and its connections (4.3.2, 6.3)",
            "## What MCP Server says of itself (6.3)",
            "## Memory and CPU (4.3.3, 6.3)",
            "## Sign-in, backend and the health matrix (2.1, 4.3.4, 6.3)",
        ]);
        const taken = new Set<string>();
        for (const { x, y, width, height } of all) {
            assert.ok(Number.isInteger(width) && x + width <= 24);
            for (let column = x; column < x + width; column++) {
                for (let row = y; row < y + height; row++) {
                    assert.ok(!taken.has(`${column} ${row}`), `${column} ${row} is taken`);
                    taken.add(`${column} ${row}`);
                }
            }
        }
    });

    it("shows of the log's metrics only those that a filter makes", () => {
        for (const stack of ["production", "staging"]) {
            const made = recordings[stack]!.resources.filter(
                ({ type }) => type === "aws:cloudwatch/logMetricFilter:LogMetricFilter",
            )
                .map((filter) => shown(filter).metricTransformation)
                .map(({ namespace, name }) => `${namespace} ${name}`);
            const drawn = widgets(recordings[stack]!)
                .flatMap(({ properties }) => properties.metrics ?? [])
                .filter(([namespace]: any) => String(namespace).startsWith("MCP/"))
                .map(([namespace, name]: any) => `${namespace} ${name}`);
            assert.ok(drawn.length > 5);
            assert.deepEqual(
                drawn.filter((metric) => !made.includes(metric)),
                [],
            );
        }
    });

    it("asks the server's log what is saved as queries", () => {
        const asked = widgets(recordings["production"]!).filter(({ type }) => type === "log");
        assert.deepEqual(
            asked.map(({ properties: { title } }) => title),
            ["Errors", "Failed tool executions", "Requests slower than 5 s"],
        );
        for (const { properties } of asked) {
            assert.match(properties.query, /^SOURCE '\/mcp\/production\/server' \| fields /);
        }
    });

    it("follows the database that is in use, and leaves out what the stack does not have", async () => {
        const switched = await recordStack(
            "production",
            "mcp:recovery.restoreTime=2026-01-31T10:30:00+05:30",
            "mcp:database.active=recovery",
        );
        assert.match(JSON.stringify(widgets(switched)), /"DBInstanceIdentifier","mcp-recovery"/);
        const nodes = (stack: string) => [
            ...new Set(JSON.stringify(widgets(recordings[stack]!)).match(/mcp-\w+-00\d/g)),
        ];
        assert.deepEqual(nodes("production"), ["mcp-production-001", "mcp-production-002"]);
        assert.deepEqual(nodes("staging"), ["mcp-staging-001"]);
    });

    it("is an output, beside the queries", () => {
        const console = "https://ap-south-1.console.aws.amazon.com/cloudwatch/home?region=ap-south-1";
        const { dashboard, savedQueries } = recordings["production"]!.outputs;
        assert.deepEqual(
            [dashboard, savedQueries],
            [`${console}#dashboards/dashboard/mcp-production`, `${console}#logsV2:logs-insights`],
        );
    });
});
