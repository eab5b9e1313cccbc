import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { displayed } from "../../offline/property";
import { type Ended, endOf } from "../jobs/steps";
import { only, recordStack } from "../support";
import { Api, eventually, type List, type Resource } from "./api";
import { type ControlPlane, lent, startControlPlane, whyNoCluster } from "./control-plane";
import { type Pod } from "./job-runner";

const NODE = "node-ap-south-1a";
const REQUIRED = "Reboot is required to fully utilize these updates.";
const NOT_NECESSARY = "Reboot should not be necessary.";
const MARK = "mcp.msil.com/restart";

type Node = Resource<{ unschedulable?: boolean; taints?: { key: string }[] }>;

/** A node as its agent of Systems Manager sees it. */
class Machine {
    readonly folder = mkdtempSync(join(tmpdir(), "mcp-node-"));

    constructor(
        private readonly cluster: ControlPlane,
        private readonly api: Api,
    ) {
        mkdirSync(join(this.folder, "bin"));
        writeFileSync(join(this.folder, "ca.crt"), api.ca!);
        writeFileSync(
            join(this.folder, "kubeconfig"),
            // As nodeadm writes it.
            `clusters:\n  - name: kubernetes\n    cluster:\n      certificate-authority: ${join(this.folder, "ca.crt")}\n      server: ${cluster.server.origin}\n`,
        );
        this.be(NODE);
        this.startUp("first");
        this.hint(REQUIRED);
    }

    /** Which node it is. */
    be(node: string): void {
        const status = { token: this.cluster.nodeTokens[node] };
        this.plant("aws", `echo '${JSON.stringify({ kind: "ExecCredential", status })}'`);
    }

    /** What a start gives the kernel to tell it from others. */
    startUp(boot: string): void {
        writeFileSync(join(this.folder, "boot_id"), `${boot}\n`);
    }

    /** What the system says of the patches it has installed. */
    hint(text: string): void {
        this.plant("dnf", `[ "$2 $3" = "needs-restarting --reboothint" ] && echo '${text}'`);
    }

    async report(bootID: string): Promise<void> {
        await this.api.patch(`/api/v1/nodes/${NODE}/status`, { status: { nodeInfo: { bootID } } });
    }

    /** Starts a step of the document as the agent does. */
    start(lines: string[], env: Record<string, string> = {}): { child: ChildProcess; ended: Promise<Ended> } {
        const script = join(this.folder, "script.sh");
        const own = Object.entries({ DRAIN_SECONDS: "20", RESTART_SECONDS: "5", END: inMinutes(90), ...env });
        // What is tried here is given in the place of what the document says.
        const at = lines.findIndex((line) => line.startsWith("set -- "));
        const exports = own.map(([key, value]) => `export ${key}='${value}'`);
        writeFileSync(script, [...lines.slice(0, at), ...exports, ...lines.slice(at)].join("\n"));
        chmodSync(script, 0o755);
        const child = spawn(script, {
            env: {
                PATH: `${join(this.folder, "bin")}:${process.env["PATH"]}`,
                KUBELET_CONFIG: join(this.folder, "kubeconfig"),
                BOOT_ID: join(this.folder, "boot_id"),
                PAUSE: "0.2",
            },
            stdio: ["ignore", "pipe", "pipe"],
        });
        return { child, ended: endOf(child) };
    }

    remove(): void {
        rmSync(this.folder, { recursive: true });
    }

    private plant(name: string, command: string): void {
        const path = join(this.folder, "bin", name);
        writeFileSync(path, `#!/bin/sh\n${command}\n`);
        chmodSync(path, 0o755);
    }
}

/** A time of day in the zone of the runbook. */
function inMinutes(minutes: number): string {
    return new Date(Date.now() + minutes * 60_000).toLocaleTimeString("en-GB", {
        timeZone: "Asia/Kolkata",
        hour: "2-digit",
        minute: "2-digit",
    });
}

const missing = lent ? "a cluster is lent, and its nodes are not to be cordoned" : whyNoCluster();
const suite = missing ? describe.skip : describe;

suite(`a node in the patch window${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(120_000);
    let cluster: ControlPlane;
    let api: Api;
    let machine: Machine;
    let steps: Record<string, string[]>;

    before(async function () {
        this.timeout(30 * 60_000);
        cluster = await startControlPlane({ log: (line) => console.log(`    ${line}`) });
        api = Api.from(cluster.kubeconfig);
        const document = only(
            await recordStack("production"),
            "aws:ssm/document:Document",
            "mcp-production-maintenance-patches",
        );
        // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a document is looked into as it is
        const { mainSteps } = JSON.parse((displayed(document.inputs as never) as any).content);
        steps = Object.fromEntries(
            mainSteps.map((step: { name: string; inputs: { runCommand: string[] } }) => [
                step.name,
                step.inputs.runCommand,
            ]),
        );
        await api.post("/api/v1/namespaces", { metadata: { name: "nodes" } });
        await eventually("the namespace has its service account", () =>
            api.get("/api/v1/namespaces/nodes/serviceaccounts/default"),
        );
    });
    after(() => cluster?.stop());

    beforeEach(async () => {
        machine = new Machine(cluster, api);
        await machine.report("first");
    });
    afterEach(async () => {
        machine.remove();
        await api.patch(`/api/v1/nodes/${NODE}`, {
            metadata: { annotations: { [MARK]: null } },
            spec: { unschedulable: null },
        });
        for (const path of ["apps/v1/namespaces/nodes/deployments", "batch/v1/namespaces/nodes/jobs"]) {
            await api.delete(`/apis/${path}?propagationPolicy=Background`);
        }
        await api.delete("/apis/policy/v1/namespaces/nodes/poddisruptionbudgets");
        await api.delete("/api/v1/namespaces/nodes/pods");
        await eventually("no pod is left", async () => (await pods()).length === 0);
    });

    const pods = async () => (await api.get<List<Pod>>("/api/v1/namespaces/nodes/pods")).items;
    const nodeNow = () => api.get<Node>(`/api/v1/nodes/${NODE}`);
    const restart = (env: Record<string, string> = {}) => machine.start(steps["restart"]!, env);
    const onNode = async () => (await pods()).filter(({ spec }) => spec.nodeName === NODE);

    /** As many replicas as there are zones, one in each, and the least that a budget leaves available. */
    async function deploy(name: string, minAvailable: number): Promise<void> {
        const labels = { app: name };
        await api.post("/apis/apps/v1/namespaces/nodes/deployments", {
            metadata: { name },
            spec: {
                replicas: 3,
                selector: { matchLabels: labels },
                template: {
                    metadata: { labels },
                    spec: {
                        containers: [{ name: "main", image: "none" }],
                        topologySpreadConstraints: [
                            {
                                maxSkew: 1,
                                topologyKey: "topology.kubernetes.io/zone",
                                whenUnsatisfiable: "ScheduleAnyway",
                                labelSelector: { matchLabels: labels },
                            },
                        ],
                    },
                },
            },
        });
        await api.post("/apis/policy/v1/namespaces/nodes/poddisruptionbudgets", {
            metadata: { name },
            spec: { minAvailable, selector: { matchLabels: labels } },
        });
        await eventually("the budget counts three", async () => {
            type Budget = Resource<object, { currentHealthy?: number; disruptionsAllowed?: number }>;
            const { status } = await api.get<Budget>(
                `/apis/policy/v1/namespaces/nodes/poddisruptionbudgets/${name}`,
            );
            return status.currentHealthy === 3 && status.disruptionsAllowed === 3 - minAvailable;
        });
    }

    it("is drained within its budgets, restarts once, and is given back when it is ready", async () => {
        await deploy("api", 2);
        assert.equal((await onNode()).length, 1);
        let least = 3;
        let isOver = false;
        const watching = (async () => {
            while (!isOver) {
                const ready = (await pods()).filter(
                    ({ metadata, status }) =>
                        metadata.deletionTimestamp === undefined && status.phase === "Running",
                );
                least = Math.min(least, ready.length);
            }
        })();
        const { status, output } = await restart().ended;
        isOver = true;
        await watching;
        assert.deepEqual([status, output], [194, `✓ ${NODE} has been drained, and restarts now\n`]);
        assert.ok(least >= 2, `${least} were available`);
        assert.deepEqual(await onNode(), []);
        const cordoned = await nodeNow();
        assert.equal(cordoned.spec.unschedulable, true);
        assert.equal(cordoned.metadata.annotations![MARK], "first false");

        // The agent runs the step again after the start; the kubelet reports a little later.
        machine.startUp("second");
        const again = restart();
        await new Promise((done) => setTimeout(done, 1000));
        assert.equal((await nodeNow()).spec.unschedulable, true, "given back before it was ready");
        await machine.report("second");
        assert.deepEqual(await again.ended, {
            status: 0,
            output: `✓ ${NODE} has been restarted, and is ready\n`,
        });
        const back = await nodeNow();
        assert.equal(back.spec.unschedulable, undefined);
        assert.equal(back.metadata.annotations?.[MARK], undefined);
    });

    it("does nothing where no patch asks for a restart", async () => {
        machine.hint(NOT_NECESSARY);
        await deploy("api", 2);
        const before = (await pods()).map(({ metadata }) => metadata.uid).sort();
        assert.deepEqual(await restart().ended, { status: 0, output: `✓ ${NODE} needs no restart\n` });
        assert.deepEqual((await pods()).map(({ metadata }) => metadata.uid).sort(), before);
    });

    it("stays as it is, and serves again, where a budget lets no pod go in time", async () => {
        await deploy("api", 3);
        const { status, output } = await restart({ DRAIN_SECONDS: "3" }).ended;
        assert.equal(status, 1);
        assert.match(
            output,
            new RegExp(`✗ these pods of ${NODE} did not go within 0 minutes: nodes/api-\\S+\n$`),
        );
        assert.equal((await onNode()).length, 1);
        assert.equal((await nodeNow()).spec.unschedulable, undefined);
    });

    it("waits for the pod of a Job instead of failing the Job", async () => {
        await api.post("/apis/batch/v1/namespaces/nodes/jobs", {
            metadata: { name: "dump" },
            spec: {
                backoffLimit: 0,
                template: {
                    // kwok does not set it.
                    metadata: { annotations: { "mcp.test/runner": "test" } },
                    spec: {
                        restartPolicy: "Never",
                        nodeName: NODE,
                        containers: [{ name: "main", image: "none" }],
                    },
                },
            },
        });
        const pod = await eventually("the Job has a pod", async () => {
            const found = await pods();
            return found.length === 1 ? found[0]! : undefined;
        });
        const { ended } = restart();
        await eventually("the node is cordoned", async () => (await nodeNow()).spec.unschedulable === true);
        await new Promise((done) => setTimeout(done, 1500));
        const path = `/api/v1/namespaces/nodes/pods/${pod.metadata.name}`;
        assert.equal((await api.get<Pod>(path)).metadata.deletionTimestamp, undefined);
        await api.patch(`${path}/status`, { status: { phase: "Succeeded" } });
        assert.equal((await ended).status, 194);
    });

    it("evicts none where one would be lost", async () => {
        await deploy("api", 2);
        await api.post("/api/v1/namespaces/nodes/pods", {
            metadata: { name: "debug" },
            spec: { nodeName: NODE, containers: [{ name: "main", image: "none" }] },
        });
        const before = (await onNode()).map(({ metadata }) => metadata.uid).sort();
        const { status, output } = await restart().ended;
        assert.deepEqual(
            [status, output],
            [1, `✗ no controller would replace these pods of ${NODE}: nodes/debug\n`],
        );
        assert.deepEqual((await onNode()).map(({ metadata }) => metadata.uid).sort(), before);
        assert.equal((await nodeNow()).spec.unschedulable, undefined);
    });

    it("is given back when its command is called off", async () => {
        await deploy("api", 3);
        const { child, ended } = restart({ DRAIN_SECONDS: "60" });
        await eventually("the node is cordoned", async () => (await nodeNow()).spec.unschedulable === true);
        child.kill("SIGTERM");
        await ended;
        assert.equal((await nodeNow()).spec.unschedulable, undefined);
        assert.equal((await nodeNow()).metadata.annotations?.[MARK], undefined);
    });

    it("stays cordoned where somebody had cordoned it before", async () => {
        await api.patch(`/api/v1/nodes/${NODE}`, { spec: { unschedulable: true } });
        assert.equal((await restart().ended).status, 194);
        machine.startUp("second");
        await machine.report("second");
        assert.equal((await restart().ended).status, 0);
        assert.equal((await nodeNow()).spec.unschedulable, true);
        assert.equal((await nodeNow()).metadata.annotations?.[MARK], undefined);
    });

    it("stays cordoned where it does not come up", async () => {
        assert.equal((await restart().ended).status, 194);
        machine.startUp("second");
        const { status, output } = await restart({ RESTART_SECONDS: "2" }).ended;
        assert.equal(status, 1);
        assert.match(output, /is not ready 0 minutes after its restart: it stays cordoned\n$/);
        assert.equal((await nodeNow()).spec.unschedulable, true);
    });

    it("neither begins nor restarts where the window is too short for it, or closed", async () => {
        // 15 minutes for the patches, 10 to drain it, 10 to start again.
        const limits = { DRAIN_SECONDS: "600", RESTART_SECONDS: "600" };
        for (const [step, minutes, status] of [
            ["check", 37, 0],
            ["check", 34, 1],
            ["check", -1, 1],
            ["restart", 18, 1],
            ["restart", -1, 1],
        ] as const) {
            const { ended } = machine.start(steps[step]!, { ...limits, END: inMinutes(minutes) });
            const found = await ended;
            assert.equal(found.status, status, `${step} ${minutes}: ${found.output}`);
            if (status === 1) assert.match(found.output, /the window is open for \d+ more: next time\n$/);
        }
        assert.equal((await nodeNow()).spec.unschedulable, undefined);
    });

    it("has no right to drain another", async () => {
        machine.be("node-ap-south-1b");
        const { status, output } = await restart().ended;
        assert.equal(status, 194, output);
        assert.match(output, /^✓ node-ap-south-1b has been drained/);
        const other = api.withToken(cluster.nodeTokens["node-ap-south-1b"]!);
        await assert.rejects(other.patch(`/api/v1/nodes/${NODE}`, { spec: { unschedulable: true } }));
        await api.patch("/api/v1/nodes/node-ap-south-1b", {
            metadata: { annotations: { [MARK]: null } },
            spec: { unschedulable: null },
        });
    });

    it("says so where the system does not tell whether it must restart", async () => {
        machine.hint("No such command: needs-restarting");
        const { status, output } = await restart().ended;
        assert.equal(status, 1);
        assert.match(output, /✗ needs-restarting says neither .*: No such command: needs-restarting\n$/);
    });
});
