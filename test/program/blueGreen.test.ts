import assert from "node:assert/strict";
import { compare } from "../../offline/compare";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { describeWorkloads } from "../../offline/summary";
import { changesOf, linesOf, only, predecessors, recordStack } from "../support";

/* eslint-disable @typescript-eslint/no-explicit-any -- manifests are looked into as they are */
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const SERVICE = "kubernetes:core/v1:Service";
const AT = "mcp:workloads.mcp-server";
const LIVE_GREEN = `${AT}.live=green`;

const inputsOf = (recording: Recording, type: string, name: string): any =>
    displayed(only(recording, type, name).inputs as never);

describe("a blue-green workload", () => {
    let blue: Recording;
    let green: Recording;
    globalThis.before(async () => {
        blue = await recordStack("production");
        green = await recordStack("production", LIVE_GREEN);
    });

    it("gives traffic to the live colour, and each colour a stable address", () => {
        const selectors = (recording: Recording) =>
            ["mcp-server", "mcp-server-blue", "mcp-server-green"].map(
                (name) => inputsOf(recording, SERVICE, name).spec.selector.version,
            );
        assert.deepEqual(selectors(blue), ["blue", "blue", "green"]);
        assert.deepEqual(selectors(green), ["green", "blue", "green"]);
    });

    it("leaves the live colour's replicas to the autoscaler and the idle one none", () => {
        assert.equal(inputsOf(blue, DEPLOYMENT, "mcp-server-blue").spec.replicas, undefined);
        assert.equal(inputsOf(blue, DEPLOYMENT, "mcp-server-green").spec.replicas, 0);
        assert.equal(inputsOf(green, DEPLOYMENT, "mcp-server-blue").spec.replicas, 0);
        assert.equal(inputsOf(green, DEPLOYMENT, "mcp-server-green").spec.replicas, undefined);
    });

    it("switches only behind rollout, capacity and smoke, and scales away only behind the soak", () => {
        const jobs = green.resources
            .filter(({ type }) => type === "kubernetes:batch/v1:Job")
            .map(({ name }) => name);
        const job = (gate: string) =>
            `Job ${jobs.find((name) => name.startsWith(`mcp-server-green-${gate}-`))!}`;
        const beforeSwitch = predecessors(green, SERVICE, "mcp-server");
        for (const step of [job("evidence"), "Deployment mcp-server-green", job("capacity"), job("smoke")]) {
            assert.ok(beforeSwitch.has(step), `${step} not before the switch`);
        }
        assert.ok(!beforeSwitch.has("Deployment mcp-server-blue"));
        assert.ok(!beforeSwitch.has(job("soak")));
        const beforeScalingAway = predecessors(green, DEPLOYMENT, "mcp-server-blue");
        for (const step of ["Service mcp-server", job("soak")]) {
            assert.ok(beforeScalingAway.has(step), `${step} not before the old colour is scaled away`);
        }
        assert.ok(!predecessors(green, DEPLOYMENT, "mcp-server-green").has("Service mcp-server"));
    });

    it("takes a release by one edit, and says so in words", async () => {
        const changes = await changesOf("production", LIVE_GREEN);
        assert.deepEqual(describeWorkloads(changes).slice(0, 1), [
            "mcp-server goes from blue v2.0.3 to green v2.1.0; gates: evidence, capacity, smoke, soak; then blue is scaled to 0.",
        ]);
    });

    it("is rolled back by the opposite edit, which undoes exactly what the release did", () => {
        const forth = linesOf(compare(blue, green).filter(({ operation }) => operation !== "same"));
        const back = linesOf(compare(green, blue).filter(({ operation }) => operation !== "same"));
        const opposite: Record<string, string> = { create: "delete", delete: "create", update: "update" };
        assert.deepEqual(
            back,
            forth.map((line) => line.replace(/^\w+/, (operation) => opposite[operation]!)).sort(),
        );
    });

    it("on warm standby keeps the idle colour's pods, before and after the switch", async () => {
        const warm = `${AT}.standby=warm`;
        const recording = await recordStack("production", warm, LIVE_GREEN);
        assert.equal(inputsOf(recording, DEPLOYMENT, "mcp-server-blue").spec.replicas, undefined);
        const changes = compare(await recordStack("production", warm), recording);
        const deployments = linesOf(changes.filter(({ operation }) => operation !== "same")).filter((line) =>
            line.includes(DEPLOYMENT),
        );
        assert.deepEqual(deployments, []);
        assert.match(describeWorkloads(changes)[0]!, /; blue keeps its pods\.$/);
    });

    it("stages the idle colour: its pods run and are smoke-tested, and traffic stays", async () => {
        const staged = await recordStack("production", `${AT}.stage=green`);
        assert.equal(inputsOf(staged, SERVICE, "mcp-server").spec.selector.version, "blue");
        assert.equal(inputsOf(staged, DEPLOYMENT, "mcp-server-green").spec.replicas, undefined);
        const gates = staged.resources
            .filter(({ type, name }) => type === "kubernetes:batch/v1:Job" && name.startsWith("mcp-server-"))
            .map(({ name }) => name.replace(/-[0-9a-f]{8}$/, ""))
            .sort();
        assert.deepEqual(gates, [
            "mcp-server-blue-capacity",
            "mcp-server-blue-evidence",
            "mcp-server-blue-notice",
            "mcp-server-blue-smoke",
            "mcp-server-blue-soak",
            "mcp-server-blue-watch",
            "mcp-server-green-evidence",
            "mcp-server-green-smoke",
        ]);
    });

    it("does not smoke-test a staged release again when it goes live", async () => {
        const staged = await recordStack("production", `${AT}.stage=green`);
        const lines = linesOf(compare(staged, green).filter(({ operation }) => operation !== "same"));
        assert.deepEqual(
            lines.filter((line) => line.includes("green-smoke")),
            [],
        );
        assert.ok(
            lines.some((line) =>
                line.startsWith("create kubernetes:batch/v1:Job mcp-server-green-capacity-"),
            ),
        );
    });

    it("changes a release's own configuration without touching the live colour", async () => {
        const lines = linesOf(await changesOf("production", `${AT}.releases.green.config.LOG_LEVEL=debug`));
        assert.deepEqual(lines, [
            "replace kubernetes:core/v1:ConfigMap mcp-server-green-config",
            "update kubernetes:apps/v1:Deployment mcp-server-green",
        ]);
    });

    it("lets its gates do what they must and nothing else", () => {
        const { rules } = inputsOf(blue, "kubernetes:rbac.authorization.k8s.io/v1:Role", "mcp-server-gate");
        assert.deepEqual(
            rules.map(({ resources, resourceNames, verbs }: any) => [
                resources[0],
                resourceNames ?? "all",
                verbs,
            ]),
            [
                ["services", ["mcp-server"], ["get"]],
                ["pods", "all", ["list"]],
                ["endpointslices", "all", ["list"]],
                ["deployments", ["mcp-server-blue", "mcp-server-green"], ["get"]],
                ["deployments/scale", ["mcp-server-blue", "mcp-server-green"], ["patch"]],
                ["horizontalpodautoscalers", ["mcp-server-blue", "mcp-server-green"], ["get"]],
                ["configmaps", ["mcp-releases"], ["get", "patch"]],
            ],
        );
    });

    it("runs the tests of the user's own image against the target, without the gate's token", async () => {
        const image = "registry.example.com/smoke-tests:v7";
        const own = await recordStack("production", `${AT}.smoke.image=${image}`, `${AT}.stage=green`);
        const without = await recordStack("production", `${AT}.stage=green`);
        for (const colour of ["blue", "green"]) {
            const podOf = ({ resources }: Recording) => {
                const jobs = resources.filter(({ name }) => name.startsWith(`mcp-server-${colour}-smoke-`));
                const { inputs } = jobs.find(({ type }) => type === "kubernetes:batch/v1:Job")!;
                return (displayed(inputs as never) as any).spec.template.spec;
            };
            const { containers, volumes } = podOf(own);
            const { name, env, volumeMounts, ...rest } = containers[1];
            const tests = { name, image: rest.image, env, volumeMounts };
            assert.deepEqual(tests, {
                name: "tests",
                image: `${image}@sha256:${"0".repeat(64)}`,
                env: [{ name: "TARGET_URL", value: `http://mcp-server-${colour}:8000` }],
                volumeMounts: [
                    { name: "no-token", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" },
                ],
            });
            assert.deepEqual(volumes.slice(1), [{ name: "no-token", emptyDir: {} }]);
            // The gate beside them is what it is without.
            const gate = podOf(without);
            assert.deepEqual([containers[0], volumes[0]], [gate.containers[0], gate.volumes[0]]);
            assert.deepEqual([gate.containers.length, gate.volumes.length], [1, 1]);
        }
    });

    it("may have Prometheus count for its soak, and lets the gates reach it", async () => {
        const recording = await recordStack(
            "production",
            `${AT}.soak.prometheus.url=http://prometheus.monitoring:9090`,
            `${AT}.soak.prometheus.requests=sum(increase(requests_total[$WINDOW]))`,
            `${AT}.soak.prometheus.errors=sum(increase(errors_total[$WINDOW]))`,
        );
        const { data } = inputsOf(recording, "kubernetes:core/v1:ConfigMap", "mcp-server-blue-soak-program");
        assert.deepEqual(JSON.parse(data["plan.json"]).metrics, {
            prometheus: "http://prometheus.monitoring:9090",
            requests: "sum(increase(requests_total[$WINDOW]))",
            errors: "sum(increase(errors_total[$WINDOW]))",
        });
        const { egress } = inputsOf(
            recording,
            "kubernetes:networking.k8s.io/v1:NetworkPolicy",
            "mcp-server-gate",
        ).spec;
        assert.deepEqual(egress.at(-1), {
            to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }],
        });
    });

    const planOf = (recording: Recording, gate: string) =>
        JSON.parse(
            inputsOf(recording, "kubernetes:core/v1:ConfigMap", `mcp-server-blue-${gate}-program`).data[
                "plan.json"
            ],
        );
    const egressOf = (recording: Recording) =>
        inputsOf(recording, "kubernetes:networking.k8s.io/v1:NetworkPolicy", "mcp-server-gate").spec.egress;

    it("measures before the switch what the soak compares with, and by the same requests", async () => {
        const recording = await recordStack("production");
        const { baseline, deadlineSeconds } = planOf(recording, "capacity");
        const { metrics, synthetic } = planOf(recording, "soak");
        assert.deepEqual(baseline, { seconds: 60, metrics, routes: synthetic.routes });
        assert.equal(deadlineSeconds, 360);
        assert.deepEqual(metrics.probePaths, ["/health", "/ready", "/metrics"]);
        assert.deepEqual(
            synthetic.routes.map(({ target }: any) => target),
            ["http://mcp-server:8000"],
        );
        assert.ok(!egressOf(recording).some(({ to }: any) => to === undefined), "the gates may go anywhere");
    });

    it("sends its own requests through public hosts that lead to the workload, unless they are not to be repeated", async () => {
        const edits = [`${AT}.smoke.requests[0].path=/mcp/call`, `${AT}.smoke.requests[1].soak=false`];
        const recording = await recordStack("production", ...edits);
        const { routes } = planOf(recording, "soak").synthetic;
        const [service, host] = routes;
        assert.ok(!service.requests.some(({ path }: any) => path === "/ready"));
        assert.deepEqual(
            [host.target, host.optional, host.requests.map(({ path }: any) => path)],
            ["https://mcp.msil.com", true, ["/mcp/call"]],
        );
        assert.ok(
            egressOf(recording).some(({ to, ports }: any) => to === undefined && ports[0].port === 443),
        );
    });

    it("asks CloudWatch for metrics of one's own, with the right to read them and nothing else", async () => {
        const recording = await recordStack(
            "production",
            `${AT}.soak.metrics.queue.cloudwatch.namespace=MCP/production`,
            `${AT}.soak.metrics.queue.cloudwatch.metric=QueueLength`,
            `${AT}.soak.metrics.queue.max=100`,
        );
        const [watched] = planOf(recording, "soak").watched;
        assert.deepEqual(
            [watched.region, watched.metric, watched.statistic, watched.dimensions],
            ["ap-south-1", "QueueLength", "Average", {}],
        );
        const { policy } = inputsOf(
            recording,
            "aws:iam/rolePolicy:RolePolicy",
            "mcp-production-mcp-server-gate",
        );
        assert.deepEqual(JSON.parse(policy).Statement, [
            { Effect: "Allow", Action: ["cloudwatch:GetMetricData"], Resource: ["*"] },
        ]);
        const { serviceAccount } = inputsOf(
            recording,
            "aws:eks/podIdentityAssociation:PodIdentityAssociation",
            "mcp-production-mcp-server-gate",
        );
        assert.equal(serviceAccount, "mcp-server-gate");
        const before = predecessors(recording, DEPLOYMENT, "mcp-server-blue");
        assert.ok(
            [...before].some((name) => name === "PodIdentityAssociation mcp-production-mcp-server-gate"),
            String([...before]),
        );
        assert.ok(JSON.stringify(egressOf(recording)).includes("169.254.170.23/32"));
    });

    it("asks Prometheus for metrics of one's own", async () => {
        const recording = await recordStack(
            "production",
            `${AT}.soak.metrics.queue.url=http://prometheus.monitoring:9090`,
            `${AT}.soak.metrics.queue.query=queue_length`,
            `${AT}.soak.metrics.queue.max=100`,
        );
        assert.deepEqual(planOf(recording, "soak").watched, [
            {
                name: "queue",
                prometheus: "http://prometheus.monitoring:9090",
                query: "queue_length",
                max: 100,
            },
        ]);
        assert.ok(JSON.stringify(egressOf(recording)).includes('"monitoring"'));
    });

    it("may exist with another one, each with its own gates", async () => {
        const edits = [
            "mcp:workloads.tools.strategy=blueGreen",
            "mcp:workloads.tools.image=msil-tools",
            "mcp:workloads.tools.port=8080",
            "mcp:workloads.tools.health.live=/live",
            "mcp:workloads.tools.health.ready=/ready",
            "mcp:workloads.tools.releases.blue.version=v1",
            "mcp:workloads.tools.releases.green.version=v2",
            "mcp:workloads.tools.scaling.min=2",
            "mcp:workloads.tools.scaling.max=4",
            "mcp:workloads.tools.resources.cpu.request=100m",
            "mcp:workloads.tools.resources.cpu.limit=200m",
            "mcp:workloads.tools.resources.memory.request=64Mi",
            "mcp:workloads.tools.resources.memory.limit=64Mi",
        ];
        const both = await recordStack("production", ...edits, "mcp:workloads.tools.live=blue");
        const released = await recordStack(
            "production",
            ...edits,
            "mcp:workloads.tools.live=green",
            LIVE_GREEN,
        );
        const switched = describeWorkloads(compare(both, released)).filter((line) => line.includes(" goes "));
        assert.deepEqual(switched.sort(), [
            "mcp-server goes from blue v2.0.3 to green v2.1.0; gates: evidence, capacity, smoke, soak; then blue is scaled to 0.",
            "tools goes from blue v1 to green v2; gates: evidence, capacity, smoke, soak; then blue is scaled to 0.",
        ]);
    });
});
