import assert from "node:assert/strict";
import { compare } from "../../offline/compare";
import { mebibytes, millicores } from "../../core/quantities";
import { displayed } from "../../offline/property";
import { record, type RecordedResource, type Recording } from "../../offline/record";
import { bundleProgram } from "../../offline/program";
import { readStackFile } from "../../offline/stackFile";
import { changesOf, linesOf, only, recordStack, root } from "../support";

/* eslint-disable @typescript-eslint/no-explicit-any -- manifests are looked into as they are */
const inputsOf = (recording: Recording, type: string, name: string): any =>
    displayed(only(recording, type, name).inputs as never);

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const PRIORITY = "kubernetes:scheduling.k8s.io/v1:PriorityClass";
const NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

/** Every container of a manifest, wherever its pods are. */
function containersIn(value: any): { image: string; imagePullPolicy?: string }[] {
    if (typeof value !== "object" || value === null) return [];
    return [
        ...(typeof value.image === "string" ? [value] : []),
        ...Object.values(value).flatMap((inner) => containersIn(inner)),
    ];
}

describe("a workload", () => {
    let production: Recording;
    before(async () => {
        production = await recordStack("production");
    });

    it("is probed on the paths and port of the health matrix", () => {
        const expected = {
            "mcp-server": [8000, "/health", "/ready"],
            "admin-portal": [3001, "/api/health", "/api/health"],
            "chat-ui": [3000, "/", "/"],
        };
        for (const [name, [port, live, ready]] of Object.entries(expected)) {
            const deployment = name === "mcp-server" ? "mcp-server-blue" : name;
            const [container] = inputsOf(production, DEPLOYMENT, deployment).spec.template.spec.containers;
            assert.deepEqual(container.ports, [{ name: "http", containerPort: port }]);
            assert.deepEqual(container.livenessProbe.httpGet, { path: live, port: "http" });
            assert.deepEqual(container.readinessProbe.httpGet, { path: ready, port: "http" });
            assert.deepEqual(container.startupProbe.httpGet, { path: live, port: "http" });
        }
    });

    it("leaves its replicas to the autoscaler and awaits its rollout for 300 seconds", () => {
        const deployment = only(production, DEPLOYMENT, "chat-ui");
        assert.equal("replicas" in inputsOf(production, DEPLOYMENT, "chat-ui").spec, false);
        assert.deepEqual(deployment.options.customTimeouts, { create: "300s", update: "300s" });
    });

    const task = (name: string) => ({ podSelector: { matchLabels: { "mcp.msil.com/task": name } } });

    it("admits only its gate, its tasks, its callers and the ingress", () => {
        const { ingress } = inputsOf(production, NETWORK_POLICY, "mcp-server").spec;
        assert.deepEqual(ingress, [
            {
                from: [
                    { podSelector: { matchLabels: { "mcp.msil.com/gate": "mcp-server" } } },
                    task("mcp-health"),
                    task("mcp-diagnostics"),
                    task("mcp-jwks-cache"),
                    { podSelector: { matchLabels: { app: "admin-portal" } } },
                    { podSelector: { matchLabels: { app: "chat-ui" } } },
                    { podSelector: { matchLabels: { app: "mcp-metrics" } } },
                    { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress" } } },
                ],
                ports: [{ protocol: "TCP", port: 8000 }],
            },
        ]);
    });

    it("that nothing calls and no ingress serves lets only its gate and the health check in", async () => {
        const closed = await recordStack(
            "production",
            "mcp:workloads.chat-ui.network.ingress=false",
            "mcp:ingress.hosts[0].paths[0].workload=mcp-server",
        );
        assert.deepEqual(inputsOf(closed, NETWORK_POLICY, "chat-ui").spec.ingress[0].from, [
            { podSelector: { matchLabels: { "mcp.msil.com/gate": "chat-ui" } } },
            task("mcp-health"),
        ]);
    });

    it("reads its secrets from files and has none in its environment", () => {
        const { spec } = inputsOf(production, DEPLOYMENT, "mcp-server-blue").spec.template;
        const [container] = spec.containers;
        assert.ok(container.env.every(({ name }: { name: string }) => name.endsWith("_FILE")));
        const files = spec.volumes.find(({ name }: { name: string }) => name === "secrets").projected.sources;
        const mounted = files.flatMap((source: any) => source.secret.items.map((item: any) => item.path));
        assert.deepEqual(
            container.env.map(({ value }: { value: string }) => value),
            mounted.map((path: string) => `/run/secrets/mcp/${path}`),
        );
        assert.equal(
            only(production, "kubernetes:core/v1:Secret", "mcp-server-blue-supplied").inputs[
                "metadata"
            ] instanceof Object,
            true,
        );
    });

    it("drains one pod at a time, even at a single replica", async () => {
        const staging = await recordStack("staging");
        const budget = inputsOf(staging, "kubernetes:policy/v1:PodDisruptionBudget", "chat-ui");
        assert.equal(budget.spec.maxUnavailable, 1);
        // Else a release that crashes keeps its node from being drained.
        assert.equal(budget.spec.unhealthyPodEvictionPolicy, "AlwaysAllow");
    });

    it("ranks by a class of its stack, which takes the place of others in production only", async () => {
        for (const [stack, policy] of [
            ["production", "PreemptLowerPriority"],
            ["staging", "Never"],
        ] as const) {
            const recording = await recordStack(stack);
            const name = `mcp-${stack}-services`;
            const { preemptionPolicy, metadata } = inputsOf(recording, PRIORITY, name);
            assert.deepEqual([metadata.name, preemptionPolicy], [name, policy]);
            for (const deployment of recording.resources.filter(({ type }) => type === DEPLOYMENT)) {
                const { spec } = (displayed(deployment.inputs as never) as any).spec.template;
                assert.equal(spec.priorityClassName, name, deployment.name);
            }
        }
    });

    it("asks for a tag each time a pod starts, and for a digest once", async () => {
        for (const stack of ["production", "staging"]) {
            const { resources } = await recordStack(stack);
            const containers = resources
                .filter(({ type }) => type.startsWith("kubernetes:"))
                .flatMap(({ inputs }) => containersIn(displayed(inputs as never)));
            assert.ok(containers.length > 20);
            for (const { image, imagePullPolicy } of containers) {
                assert.equal(imagePullPolicy, image.includes("@") ? "IfNotPresent" : "Always", image);
            }
        }
    });

    it("is gated after its rollout, its Service and its autoscaler", () => {
        const gate = production.resources.find(
            ({ type, name }) => type.endsWith(":Job") && name.startsWith("chat-ui-smoke-"),
        )!;
        const names = gate.dependencies.map((urn) => urn.split("::").slice(2).join(" ").split("$").at(-1));
        for (const needed of [
            "kubernetes:apps/v1:Deployment chat-ui",
            "kubernetes:core/v1:Service chat-ui",
            "kubernetes:autoscaling/v2:HorizontalPodAutoscaler chat-ui",
            "kubernetes:networking.k8s.io/v1:NetworkPolicy chat-ui-gate",
        ]) {
            assert.ok(names.includes(needed), `${needed} not in ${names.join(", ")}`);
        }
    });

    it("has a gate that gives up by itself, once, and before the engine does", () => {
        const job = production.resources.find(({ name }) => /^chat-ui-smoke-[0-9a-f]{8}$/.test(name))!;
        const { spec, metadata } = displayed(job.inputs as never) as any;
        assert.equal(spec.backoffLimit, 0);
        assert.equal(spec.template.spec.restartPolicy, "Never");
        assert.equal(spec.ttlSecondsAfterFinished, undefined);
        assert.equal(metadata.annotations["pulumi.com/replaceUnready"], "true");
        assert.ok(Number.parseInt(job.options.customTimeouts!.create!, 10) > spec.activeDeadlineSeconds);
    });

    it("runs the tests of the user's own image beside the requests", async () => {
        const image = "registry.example.com/smoke-tests:v7";
        const recording = await recordStack("staging", `mcp:workloads.chat-ui.smoke.image=${image}`);
        const job = recording.resources.find(
            ({ name, type }) => type.endsWith(":Job") && name.startsWith("chat-ui"),
        )!;
        const { containers } = (displayed(job.inputs as never) as any).spec.template.spec;
        assert.deepEqual(
            containers.map((container: any) => [container.name, container.image]),
            [
                ["gate", "public.ecr.aws/docker/library/node:24.11.0-alpine3.22"],
                ["tests", image],
            ],
        );
    });

    it("may reach the stores whose URLs it has, and no others", async () => {
        const egressOf = async (...edits: string[]) => {
            const recording = await recordStack("production", ...edits);
            const policy = only(recording, "kubernetes:networking.k8s.io/v1:NetworkPolicy", "chat-ui");
            return (displayed(policy.inputs as never) as any).spec.egress;
        };
        const to = (cidr: string, ...ports: number[]) => ({
            to: [{ ipBlock: { cidr } }],
            ports: ports.map((port) => ({ protocol: "TCP", port })),
        });
        const mcpServer = {
            to: [{ podSelector: { matchLabels: { app: "mcp-server" } } }],
            ports: [{ protocol: "TCP", port: 8000 }],
        };
        const secret = (name: string) => `mcp:workloads.chat-ui.secrets.${name}`;
        const [database, cache] = [secret("DATABASE_URL=database"), secret("REDIS_URL=cache")];
        assert.deepEqual(await egressOf(), [mcpServer]);
        assert.deepEqual(await egressOf(database), [mcpServer, to("10.20.0.0/16", 5432)]);
        assert.deepEqual(await egressOf(cache, database, "mcp:kubernetes.vpc=10.0.0.0/8"), [
            mcpServer,
            to("10.0.0.0/8", 5432, 6379),
        ]);
    });

    it("keeps its gate through scaling, restart and an egress rule: they are no release", async () => {
        for (const edit of [
            "mcp:workloads.mcp-server.scaling.min=6",
            "mcp:workloads.chat-ui.scaling.max=13",
            "mcp:workloads.mcp-server.restart=INC-1",
            "mcp:workloads.mcp-server.network.egress[0].ports[0]=8443",
        ]) {
            const lines = linesOf(await changesOf("production", edit));
            assert.ok(lines.length > 0, edit);
            assert.deepEqual(
                lines.filter((line) => line.includes(":Job ")),
                [],
                edit,
            );
        }
    });

    it("is gated again when its configuration or a secret changes", async () => {
        const configured = linesOf(
            await changesOf("production", "mcp:workloads.chat-ui.config.LOG_LEVEL=debug"),
        );
        assert.ok(configured.some((line) => /^create kubernetes:batch\/v1:Job chat-ui-smoke-/.test(line)));
        const keys = ["mcp:workloads.chat-ui.secrets.API_KEY=supplied"];
        const [one, another] = ["one", "another"].map((value) => [
            ...keys,
            `mcp:secrets.chat-ui.API_KEY=${value}`,
        ]);
        const changes = compare(
            await recordStack("production", ...one!),
            await recordStack("production", ...another!),
        );
        const secret = linesOf(changes.filter(({ operation }) => operation !== "same"));
        assert.deepEqual(
            secret.map((line) => line.replace(/[0-9a-f]{8}$/, "*")),
            [
                "replace kubernetes:batch/v1:Job chat-ui-smoke-*",
                "replace kubernetes:core/v1:Secret chat-ui-supplied",
                "update kubernetes:apps/v1:Deployment chat-ui",
            ],
        );
    });

    it("gets its AWS rights before its pods start, and only its ServiceAccount has them", async () => {
        const edits = [
            "mcp:workloads.mcp-server.awsPermissions[0].actions[0]=s3:GetObject",
            "mcp:workloads.mcp-server.awsPermissions[0].resources[0]=arn:aws:s3:::example-bucket/*",
        ];
        const recording = await recordStack("production", ...edits);
        const association = only(
            recording,
            "aws:eks/podIdentityAssociation:PodIdentityAssociation",
            "mcp-production-mcp-server",
        );
        assert.equal(association.inputs["serviceAccount"], "mcp-server");
        assert.ok(only(recording, DEPLOYMENT, "mcp-server-blue").dependencies.includes(association.urn));
        const role = only(recording, "aws:iam/role:Role", "mcp-production-mcp-server");
        const [statement] = JSON.parse(role.inputs["assumeRolePolicy"] as string).Statement;
        assert.equal(
            statement.Condition.StringEquals["aws:RequestTag/kubernetes-service-account"],
            "mcp-server",
        );
        const policy = only(recording, "aws:iam/rolePolicy:RolePolicy", "mcp-production-mcp-server");
        assert.deepEqual(JSON.parse(policy.inputs["policy"] as string).Statement, [
            { Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::example-bucket/*"] },
        ]);
    });

    it("fits, with every other at its maximum, into the namespace's quota", () => {
        const { hard } = inputsOf(
            production,
            "kubernetes:core/v1:ResourceQuota",
            "mcp-production-quota",
        ).spec;
        const deployments = production.resources.filter(({ type }) => type === DEPLOYMENT);
        const most = (resource: RecordedResource) =>
            // The collector of the metrics has no autoscaler, and says how many it is.
            inputsOf(production, DEPLOYMENT, resource.name).spec.replicas ||
            inputsOf(production, "kubernetes:autoscaling/v2:HorizontalPodAutoscaler", resource.name).spec
                .maxReplicas;
        const limits = deployments.map((resource) => {
            const [container] = inputsOf(production, DEPLOYMENT, resource.name).spec.template.spec.containers;
            return { count: most(resource), ...container.resources.limits };
        });
        const cpu = limits.reduce((sum, limit) => sum + limit.count * millicores(limit.cpu), 0);
        const memory = limits.reduce((sum, limit) => sum + limit.count * mebibytes(limit.memory), 0);
        assert.ok(millicores(hard["limits.cpu"]) > cpu);
        assert.ok(mebibytes(hard["limits.memory"]) > memory);
        // 12 + 12 + 3 with both colours, 4 + 1 and 6 + 2 pods in the middle of a rollout, a gate and a watch
        // each, the certificate's, two tasks of the database, the count of Redis keys, two health checks, two cleanups of the
        // cache, two runs of the database's maintenance, diagnostics and a clearing of the JWKS
        // cache, three dumps by the clock and on demand, one before a release of each workload, the
        // export, and the collector of the metrics beside the one that takes its place.
        assert.equal(hard.pods, "67");
    });
});

describe("the stack", () => {
    it("means the same in any order of its values", async () => {
        const file = readStackFile(root, "production");
        const reversed = (value: unknown): unknown =>
            Array.isArray(value)
                ? value.map(reversed)
                : typeof value === "object" && value !== null
                  ? Object.fromEntries(
                        Object.entries(value)
                            .reverse()
                            .map(([key, inner]) => [key, reversed(inner)]),
                    )
                  : value;
        const config = Object.fromEntries(
            Object.entries(file.config).map(([key, value]) => [
                key,
                value.startsWith("{") ? JSON.stringify(reversed(JSON.parse(value))) : value,
            ]),
        );
        const recording = await record(bundleProgram(root), { ...file, config });
        const changes = compare(await recordStack("production"), recording);
        assert.deepEqual(linesOf(changes.filter(({ operation }) => operation !== "same")), []);
    });

    it("gives every resource an explicit provider", async () => {
        const { resources } = await recordStack("production");
        for (const { custom, type, name, provider } of resources) {
            // What the engine itself reads, as another stack's outputs, has none.
            if (custom && !type.startsWith("pulumi:")) {
                assert.match(provider, /::(aws|kubernetes|random)$/, `${type} ${name}`);
            }
        }
    });

    it("reaches EKS with credentials that are renewed, and any other cluster by its context", async () => {
        const eks = await recordStack("production");
        const provider = only(eks, "pulumi:providers:kubernetes", "kubernetes");
        assert.deepEqual(displayed(provider.inputs["kubeconfig"]!), "[unknown]");
        // Removing a value is an edit of the file; an empty cluster name is refused, as it should be.
        await assert.rejects(
            recordStack("production", "mcp:kubernetes.context=kind-mcp"),
            /exactly one of cluster \(EKS\) and context/,
        );
    });

    it("tags everything on AWS", async () => {
        const { inputs } = only(await recordStack("production"), "pulumi:providers:aws", "aws");
        assert.deepEqual(JSON.parse(inputs["defaultTags"] as string), {
            tags: {
                service: "mcp-platform",
                classification: "internal",
                project: "mcp",
                stack: "production",
                environment: "production",
                "managed-by": "pulumi",
            },
        });
        assert.equal(inputs["allowedAccountIds"], '["000000000000"]');
    });

    it("has one topic a severity, with the matrix's response time and its contacts", async () => {
        const recording = await recordStack("production");
        const topics = { p1: "15", p2: "30", p3: "120", p4: "1440" };
        for (const [severity, minutes] of Object.entries(topics)) {
            const topic = only(recording, "aws:sns/topic:Topic", `mcp-production-incidents-${severity}`);
            assert.equal((topic.inputs["tags"] as Record<string, string>)["response-minutes"], minutes);
        }
        const endpoints = recording.resources
            .filter(
                ({ type, name }) =>
                    type === "aws:sns/topicSubscription:TopicSubscription" &&
                    // The levels of the escalation have separate tests.
                    /^mcp-production-incidents-p\d-/.test(name),
            )
            .map(({ inputs }) => inputs["endpoint"]);
        assert.deepEqual(endpoints.sort(), [
            "oncall@nagarro.com",
            "oncall@nagarro.com",
            "oncall@nagarro.com",
            "support@nagarro.com",
        ]);
    });
});
