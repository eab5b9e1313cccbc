import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { get } from "node:https";
import { type AddressInfo } from "node:net";
import { Api, type ApiError, eventually, type List, type Resource } from "./api";
import { type ControlPlane, lent, startControlPlane, whyNoCluster } from "./control-plane";
import { type JobRun, type JobRunner, type Pod, startJobRunner } from "./job-runner";

type Job = Resource<object, { succeeded?: number; conditions?: { type: string; status: string }[] }>;

const missing = lent ? "a cluster is lent, and these tests are about our own" : whyNoCluster();
const suite = missing ? describe.skip : describe;

suite(`the control plane for tests${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(60_000);
    let cluster: ControlPlane;
    let api: Api;

    before(async function () {
        // The very first start builds Kubernetes.
        this.timeout(30 * 60_000);
        cluster = await startControlPlane({ log: (line) => console.log(`    ${line}`) });
        api = Api.from(cluster.kubeconfig);
    });
    after(() => cluster?.stop());

    it("tells the version it was built from", async () => {
        const { major, minor, gitVersion } = await api.get<Record<string, string>>("/version");
        assert.deepEqual([major, minor], ["1", "34"]);
        assert.match(gitVersion!, /^v1\.34\.\d+$/);
    });

    it("refuses requests without credentials", async () => {
        const call = get(new URL("/version", cluster.server), { ca: api.ca, agent: false });
        const [response] = (await once(call, "response")) as [IncomingMessage];
        response.resume();
        assert.equal(response.statusCode, 401);
    });

    it("has a ready node in each of three zones", async () => {
        type Node = Resource<object, { conditions: { type: string; status: string }[] }>;
        const { items } = await api.get<List<Node>>("/api/v1/nodes");
        assert.deepEqual(
            items.map(({ metadata }) => metadata.labels?.["topology.kubernetes.io/zone"]).sort(),
            ["ap-south-1a", "ap-south-1b", "ap-south-1c"],
        );
        for (const { status } of items) {
            assert.equal(status.conditions.find(({ type }) => type === "Ready")?.status, "True");
        }
    });

    it("refuses a privileged pod where a namespace enforces the restricted level", async () => {
        await createNamespace("restricted", { "pod-security.kubernetes.io/enforce": "restricted" });
        const privileged = { name: "main", image: "none", securityContext: { privileged: true } };
        await assert.rejects(
            api.post("/api/v1/namespaces/restricted/pods", {
                metadata: { name: "privileged" },
                spec: { containers: [privileged] },
            }),
            (error: ApiError) =>
                error.status === 403 && /violates PodSecurity "restricted/.test(error.message),
        );
    });

    it("has a pod with a readiness gate be ready once somebody has said so, and no sooner", async () => {
        await createNamespace("gated");
        const path = "/api/v1/namespaces/gated/pods/gated";
        const ready = async () => {
            type Gated = Resource<object, { conditions?: { type: string; status: string }[] }>;
            const { status } = await api.get<Gated>(path);
            return status.conditions?.find(({ type }) => type === "Ready")?.status;
        };
        const conditionType = "mcp.test/said";
        await api.post("/api/v1/namespaces/gated/pods", {
            metadata: { name: "gated" },
            spec: { containers: [{ name: "main", image: "none" }], readinessGates: [{ conditionType }] },
        });
        await eventually("the pod runs", async () => (await ready()) !== undefined);
        assert.equal(await ready(), "False");
        await api.patch(`${path}/status`, {
            status: { conditions: [{ type: conditionType, status: "True" }] },
        });
        await eventually("the pod is ready", async () => (await ready()) === "True");
    });

    describe("with a Deployment of three replicas", () => {
        const pods = () => api.get<List<Pod>>("/api/v1/namespaces/spread/pods?labelSelector=app%3Dspread");
        const available = () =>
            eventually("three replicas are available", async () => {
                const path = "/apis/apps/v1/namespaces/spread/deployments/spread";
                const { status } = await api.get<Resource<object, { availableReplicas?: number }>>(path);
                return status.availableReplicas === 3;
            });

        before(async () => {
            await createNamespace("spread");
            const matchLabels = { app: "spread" };
            await api.post("/apis/apps/v1/namespaces/spread/deployments", {
                metadata: { name: "spread" },
                spec: {
                    replicas: 3,
                    selector: { matchLabels },
                    template: {
                        metadata: { labels: matchLabels },
                        spec: {
                            containers: [{ name: "main", image: "none" }],
                            topologySpreadConstraints: [
                                {
                                    maxSkew: 1,
                                    topologyKey: "topology.kubernetes.io/zone",
                                    whenUnsatisfiable: "DoNotSchedule",
                                    labelSelector: { matchLabels },
                                },
                            ],
                        },
                    },
                },
            });
        });

        it("makes it available, one replica in each zone", async () => {
            await available();
            const nodes = (await pods()).items.map(({ spec }) => spec.nodeName).sort();
            assert.deepEqual(nodes, ["node-ap-south-1a", "node-ap-south-1b", "node-ap-south-1c"]);
        });

        it("replaces a deleted pod", async () => {
            const [{ metadata }] = (await pods()).items as [Pod];
            await api.delete(`/api/v1/namespaces/spread/pods/${metadata.name}`);
            await eventually("another pod is in its place", async () => {
                const { items } = await pods();
                const running = items.filter(({ status }) => status.phase === "Running");
                return running.length === 3 && items.every((pod) => pod.metadata.uid !== metadata.uid);
            });
            await available();
        });

        it("refuses the eviction a PodDisruptionBudget forbids", async () => {
            const budgets = "/apis/policy/v1/namespaces/spread/poddisruptionbudgets";
            await api.post(budgets, {
                metadata: { name: "all" },
                spec: { minAvailable: 3, selector: { matchLabels: { app: "spread" } } },
            });
            await eventually("the budget counts three healthy pods", async () => {
                const { status } = await api.get<Resource<object, { currentHealthy?: number }>>(
                    `${budgets}/all`,
                );
                return status.currentHealthy === 3;
            });
            const { name } = (await pods()).items[0]!.metadata;
            await assert.rejects(
                api.post(`/api/v1/namespaces/spread/pods/${name}/eviction`, {
                    apiVersion: "policy/v1",
                    kind: "Eviction",
                    metadata: { name },
                }),
                (error: ApiError) => error.status === 429,
            );
        });
    });

    describe("with a job runner", () => {
        let runner: JobRunner;
        const http = createServer(({ url, headers }, response) => response.end(`${headers.host}${url}`));

        before(async () => {
            await createNamespace("jobs");
            http.listen(0, "127.0.0.1");
            await once(http, "listening");
            const { port } = http.address() as AddressInfo;
            runner = startJobRunner(cluster.kubeconfig, {
                hosts: { "mcp-server": { host: "127.0.0.1", port } },
            });
        });
        after(async () => {
            await runner?.stop();
            http.close();
        });

        it("leaves a Job of other programs to kwok, which completes it", async () => {
            await createJob("other", { command: ["/bin/true"] });
            await finished("other", "Complete");
            assert.ok(!runner.runs.some(({ job }) => job === "other"));
        });

        it("gives a program its environment, its volumes, the API and the cluster's hosts", async () => {
            await createConfig("full", {
                greeting: "hello",
                "gate.js": `
                    const { readFileSync } = require("node:fs");
                    const { request } = require("node:https");
                    const account = "/var/run/secrets/kubernetes.io/serviceaccount";
                    const whoami = () => new Promise((done, failed) => {
                        const call = request("https://kubernetes.default.svc/apis/authentication.k8s.io/v1/selfsubjectreviews", {
                            method: "POST",
                            ca: readFileSync(process.env.MCP_KUBERNETES_CA_FILE),
                            headers: {
                                Authorization: "Bearer " + readFileSync(account + "/token", "utf8"),
                                "Content-Type": "application/json",
                            },
                        }, async (answer) => {
                            const { status } = JSON.parse((await answer.toArray()).join(""));
                            done(status.userInfo.username);
                        });
                        call.once("error", failed);
                        call.end(JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" }));
                    });
                    (async () => console.log(JSON.stringify({
                        args: process.argv.slice(2),
                        env: ["GREETING", "PASSWORD", "POD", "BOTH", "ALL_greeting", "HOME"].map((name) => process.env[name]),
                        file: readFileSync("/opt/config/nested/greeting.txt", "utf8"),
                        namespace: readFileSync(account + "/namespace", "utf8"),
                        fetched: await (await fetch("http://mcp-server:8000/health")).text(),
                        user: await whoami(),
                    })))();
                `,
            });
            await api.post("/api/v1/namespaces/jobs/secrets", {
                metadata: { name: "full" },
                stringData: { password: "s3cret" },
            });
            await createJob(
                "full",
                {
                    command: ["node"],
                    args: ["/opt/gate/gate.js", "--to=$(BOTH)", "/opt/gates"],
                    env: [
                        {
                            name: "GREETING",
                            valueFrom: { configMapKeyRef: { name: "full", key: "greeting" } },
                        },
                        { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "full", key: "password" } } },
                        { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
                        { name: "BOTH", value: "$(GREETING)/$(POD)" },
                    ],
                    envFrom: [{ prefix: "ALL_", configMapRef: { name: "full" } }],
                    volumeMounts: [
                        { name: "gate", mountPath: "/opt/gate" },
                        { name: "config", mountPath: "/opt/config" },
                    ],
                },
                [
                    { name: "gate", configMap: { name: "full" } },
                    {
                        name: "config",
                        projected: {
                            sources: [
                                {
                                    configMap: {
                                        name: "full",
                                        items: [{ key: "greeting", path: "nested/greeting.txt" }],
                                    },
                                },
                            ],
                        },
                    },
                ],
            );
            await finished("full", "Complete");
            const { exitCode, log } = runOf("full");
            assert.equal(exitCode, 0);
            assert.deepEqual(JSON.parse(log), {
                args: ["--to=hello/jobs", "/opt/gates"],
                env: ["hello", "s3cret", "jobs", "hello/jobs", "hello", null],
                file: "hello",
                namespace: "jobs",
                fetched: "mcp-server:8000/health",
                user: "system:serviceaccount:jobs:default",
            });
        });

        it("fails the Job of a program that fails, and keeps what it said", async () => {
            await createJob("failing", {
                command: ["node", "-e", "console.error('not today'); process.exit(1)"],
            });
            await finished("failing", "Failed");
            const { exitCode, log } = runOf("failing");
            assert.deepEqual([exitCode, log], [1, "not today\n"]);
            const { items } = await api.get<List<Resource>>(
                `/api/v1/namespaces/jobs/pods?${ofJob("failing")}`,
            );
            assert.match(
                JSON.stringify(items[0]!.status),
                /"exitCode":1,"reason":"Error","message":"not today\\n"/,
            );
        });

        it("starts a pod once the ConfigMap it mounts is there", async () => {
            const mounts = [{ name: "gate", mountPath: "/opt/gate" }];
            await createJob("early", { command: ["node", "/opt/gate/gate.js"], volumeMounts: mounts }, [
                { name: "gate", configMap: { name: "late" } },
            ]);
            await eventually("the pod tells what it waits for", async () => {
                const { items } = await api.get<List<Resource>>(
                    `/api/v1/namespaces/jobs/pods?${ofJob("early")}`,
                );
                return JSON.stringify(items[0]?.status).includes("CreateContainerConfigError");
            });
            await createConfig("late", { "gate.js": "console.log('at last')" });
            await finished("early", "Complete");
            assert.equal(runOf("early").log, "at last\n");
        });

        it("ends the program when the Job runs out of time", async () => {
            await createJob("slow", { command: ["node", "-e", "setInterval(() => {}, 1000)"] }, [], {
                activeDeadlineSeconds: 2,
            });
            await finished("slow", "Failed");
            await eventually("the program has ended", () => runOf("slow").exitCode === 143);
            await eventually("its pod is gone", async () => {
                const { items } = await api.get<List<Pod>>(`/api/v1/namespaces/jobs/pods?${ofJob("slow")}`);
                return items.length === 0;
            });
        });

        const ofJob = (name: string) => `labelSelector=job-name%3D${name}`;

        function runOf(name: string): JobRun {
            const run = runner.runs.find(({ job }) => job === name);
            assert.ok(run, `no run of ${name}`);
            return run;
        }

        async function createConfig(name: string, data: Record<string, string>): Promise<void> {
            await api.post("/api/v1/namespaces/jobs/configmaps", { metadata: { name }, data });
        }

        async function createJob(
            name: string,
            container: object,
            volumes: object[] = [],
            spec = {},
        ): Promise<void> {
            await api.post("/apis/batch/v1/namespaces/jobs/jobs", {
                metadata: { name },
                spec: {
                    backoffLimit: 0,
                    ...spec,
                    template: {
                        spec: {
                            restartPolicy: "Never",
                            containers: [{ name: "main", image: "none", ...container }],
                            volumes,
                        },
                    },
                },
            });
        }

        const finished = (name: string, condition: "Complete" | "Failed") =>
            eventually(`Job ${name} is ${condition}`, async () => {
                const { status } = await api.get<Job>(`/apis/batch/v1/namespaces/jobs/jobs/${name}`);
                return status.conditions?.some(({ type, status }) => type === condition && status === "True");
            });
    });

    // A separate suite: Mocha runs the tests of a suite before the suites inside it.
    describe("at its end", () => {
        it("leaves no process behind when stopped", async () => {
            assert.equal(cluster.processes.filter(runs).length, 5);
            await cluster.stop();
            assert.deepEqual(cluster.processes.filter(runs), []);
        });

        it("leaves no process behind when its process is terminated", async () => {
            const program = `
                const { startControlPlane } = require("./control-plane");
                startControlPlane().then(({ processes }) => console.log(JSON.stringify(processes)));
            `;
            const owner = spawn(
                process.execPath,
                ["--require", "ts-node/register/transpile-only", "-e", program],
                {
                    cwd: __dirname,
                    stdio: ["ignore", "pipe", "inherit"],
                },
            );
            const [line] = (await once(owner.stdout, "data")) as [Buffer];
            const processes = JSON.parse(line.toString()) as number[];
            assert.equal(processes.filter(runs).length, 5);
            owner.kill("SIGTERM");
            const [, signal] = (await once(owner, "exit")) as [number | null, string | null];
            assert.equal(signal, "SIGTERM");
            await eventually("its processes have ended", () => !processes.some(runs));
        });
    });

    async function createNamespace(name: string, labels: Record<string, string> = {}): Promise<void> {
        await api.post("/api/v1/namespaces", { metadata: { name, labels } });
        await eventually(`namespace ${name} has its service account`, () =>
            api.get(`/api/v1/namespaces/${name}/serviceaccounts/default`),
        );
    }
});

function runs(pid: number): boolean {
    try {
        return process.kill(pid, 0);
    } catch {
        return false;
    }
}
