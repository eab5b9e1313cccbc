import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { eventually, type List, type Resource } from "../cluster/api";
import { copyOfProject } from "../support";
import { Checkout, type Command } from "./checkout";
import { Lab, whyNoEngine } from "./lab";
import { HOME, Platform, SERVER } from "./platform";

/* An emergency while a release soaks: its update has the stack's lock for ten minutes. */

const RELEASE = ["runbook", "run", "blue-green-release", "--live", "green", "--yes"];
const SCALE_UP = ["runbook", "run", "scale-up", "--min", "6", "--yes"];

type Autoscaler = Resource<{ minReplicas: number }>;

const missing = whyNoEngine();
const suite = missing ? describe.skip : describe;

suite(`an emergency during a soak on the engine${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(900_000);
    let lab: Lab;
    let platform: Platform;
    let checkout: Checkout;
    const folders: string[] = [];

    before(async function () {
        this.timeout(30 * 60_000);
        lab = await Lab.open((line) => console.log(`    ${line}`));
        folders.push(copyOfProject());
        platform = await Platform.ofCopy(lab, folders[0]!, `${SERVER}.soak.duration=10m`);
        await platform.install();
        await platform.settles(HOME);
        checkout = new Checkout(lab, folders[0]!, platform.stack.env);
    });
    after(async () => {
        await lab?.close();
        for (const folder of folders) rmSync(folder, { recursive: true });
    });
    beforeEach(async () => {
        lab.world.heal();
        await platform.writeLedger({ "mcp-server.abort": null });
    });

    const stackFile = (folder = folders[0]!) => readFileSync(join(folder, "Pulumi.production.yaml"), "utf8");

    /** Releases green, up to its soak. */
    async function soaking(): Promise<Command> {
        const runs = platform.gateRuns("mcp-server-green-soak").length;
        const release = checkout.start(...RELEASE);
        await eventually(
            "the release soaks",
            () => /watching for/.test(platform.gateRuns("mcp-server-green-soak")[runs] ?? ""),
            300,
        );
        return release;
    }

    async function podsOf(colour: string): Promise<number> {
        const { items } = await platform.get<List<Resource>>(
            "v1",
            `pods?labelSelector=app%3Dmcp-server,version%3D${colour}`,
        );
        return items.length;
    }

    const minimum = async (colour: string) =>
        (await platform.get<Autoscaler>("autoscaling/v2", `horizontalpodautoscalers/mcp-server-${colour}`))
            .spec.minReplicas;

    /** Seconds from the start of an emergency's command to its pods. */
    async function scaledUp(command: Command, what: string): Promise<void> {
        const start = performance.now();
        const seconds = () => ((performance.now() - start) / 1000).toFixed(1);
        await eventually(
            "the autoscaler has its new minimum",
            async () => (await minimum("blue")) === 6,
            300,
        );
        const asked = seconds();
        await eventually("there are new pods", async () => (await podsOf("blue")) >= 6, 60);
        console.log(`        measured: ${what}: new minimum after ${asked} s, new pods after ${seconds()} s`);
        const { status, stdout, stderr } = await command.done;
        assert.equal(status, 0, stdout + stderr);
    }

    it("says who has the lock, since when and in which gate, and what to choose", async () => {
        const release = await soaking();
        const before = stackFile();
        const { status, stdout, stderr } = await checkout.start(...SCALE_UP).done;
        assert.equal(status, 1, stdout + stderr);
        assert.match(stderr, /^The stack production is locked by \S+@\S+ \(process \d+\), since \S+\.$/m);
        assert.match(
            stderr,
            /^ {2}mcp-server v2\.1\.0 \(green\) \(CHG-2041, approved by change-board\): Job mcp-server-green-soak-\S+, since \S+$/m,
        );
        assert.match(stderr, /^ {2}--wait [^]*^ {2}--abort-soak /m);
        assert.equal(stackFile(), before);

        // Two terminals, one checkout.
        const urgent = checkout.start(...SCALE_UP, "--abort-soak");
        await scaledUp(urgent, "emergency scale-up during a soak, same checkout");
        const released = await release.done;
        assert.equal(released.status, 5, released.stdout + released.stderr);
        assert.match(released.stderr, /aborted by an operator, for scale-up, by \S+@\S+/);
        await platform.settles({ live: "blue", blue: 6, green: 0 });
        assert.match(stackFile(), /live: blue/);
        await again();
    });

    it("takes an aborted release back where another checkout has it, too", async () => {
        const release = await soaking();
        const folder = copyOfProject();
        folders.push(folder);
        copyFileSync(join(folders[0]!, "Pulumi.production.yaml"), join(folder, "Pulumi.production.yaml"));
        const other = new Checkout(lab, folder, platform.stack.env);
        const urgent = other.start(...SCALE_UP, "--abort-soak");
        await scaledUp(urgent, "emergency scale-up during a soak, another checkout");
        assert.match(urgent.output(), /has mcp-server v2\.1\.0 live, which was aborted/);
        assert.equal((await release.done).status, 5);
        await platform.settles({ live: "blue", blue: 6, green: 0 });
        assert.match(stackFile(folder), /live: blue/);

        // It does not come back by itself: before the switch its gate finds that it is aborted.
        const retried = await checkout.start(...RELEASE).done;
        assert.equal(retried.status, 5, retried.stdout + retried.stderr);
        assert.match(retried.stderr, /aborted by an operator[^]*"mcp-server\.abort":null/);
        await again();
    });

    it("scales by kubectl during a soak, and the next update takes that over", async () => {
        await platform.stack.succeed("config", "set", "--path", `${SERVER}.soak.duration`, "30s");
        const release = await soaking();
        execFileSync(
            lab.cluster.kubectl,
            [
                ...["patch", "hpa", "mcp-server-green", "-n", platform.namespace],
                ...["-p", '{"spec":{"minReplicas":6}}'],
            ],
            { env: { ...process.env, KUBECONFIG: lab.cluster.kubeconfig } },
        );
        await eventually("there are new pods", async () => (await podsOf("green")) >= 6, 60);
        const released = await release.done;
        assert.equal(released.status, 0, released.stdout + released.stderr);
        assert.equal(await minimum("green"), 6);
        for (const min of [6, 4]) {
            const { status, stdout, stderr } = await checkout.runbook(
                ...["run", "scale-up", "--min", String(min), "--yes"],
            );
            assert.equal(status, 0, stdout + stderr);
            assert.equal(await minimum("green"), min);
        }
    });

    /** Back to three pods of blue, as at first. */
    async function again(): Promise<void> {
        const { status, stdout, stderr } = await checkout.runbook("run", "scale-up", "--min", "3", "--yes");
        assert.equal(status, 0, stdout + stderr);
        await lab.api.patch(platform.path("apps/v1", "deployments/mcp-server-blue/scale"), {
            spec: { replicas: 3 },
        });
        await platform.settles(HOME);
    }
});
