import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { type Server } from "node:https";
import { type RunResult } from "../../cli/runbook/outcome";
import { eventually } from "../cluster/api";
import { copyOfProject } from "../support";
import { Checkout } from "./checkout";
import { serveLogs } from "./kubelet";
import { Lab, whyNoEngine } from "./lab";
import { Platform, type Traffic } from "./platform";

/* `npm run runbook -- run` in a copy of the project, driving the real CLI against a real API server: what is typed, what
 * is printed, the exit status, and what became of the stack and of its file. */

const HOME: Traffic = { live: "blue", blue: 3, green: 0 };
const RELEASED: Traffic = { live: "green", blue: 0, green: 3 };
const RELEASE = ["run", "blue-green-release", "--live", "green", "--yes"];

const missing = whyNoEngine();
const suite = missing ? describe.skip : describe;

suite(`the runbook's command on the engine${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(600_000);
    let lab: Lab;
    let folder: string;
    let platform: Platform;
    let checkout: Checkout;
    let kubelet: Server;

    before(async function () {
        this.timeout(30 * 60_000);
        lab = await Lab.open((line) => console.log(`    ${line}`));
        kubelet = await serveLogs(lab.api, lab.runner, lab.issue("kubelet", ["localhost"]));
        folder = copyOfProject();
        platform = await Platform.ofCopy(lab, folder);
        checkout = new Checkout(lab, folder, platform.stack.env);
        await platform.install();
        await platform.settles(HOME);
    });
    after(async () => {
        kubelet?.close();
        await lab?.close();
        if (folder) rmSync(folder, { recursive: true });
    });
    beforeEach(() => lab.world.heal());

    const stackFile = () => readFileSync(platform.stack.file, "utf8");

    const start = (...args: string[]) => checkout.start(...args);
    const runbook = (...args: string[]) => checkout.runbook(...args);

    it("takes a release back that fails, says why, and leaves the stack file as it was", async () => {
        const before = stackFile();
        lab.world.failing.add("mcp-server-green");
        const { status, stdout, stderr } = await runbook(...RELEASE);
        assert.equal(status, 5, stdout + stderr);
        assert.match(stderr, /^The update failed, and the stack is back at the values before it:$/m);
        assert.match(stderr, /✗ GET \/health: expected status 200, found 503/);
        // The gate's own lines, as they come: between the beginning of its Job and the end of the update.
        const told = [
            /^ *create \S+:Job mcp-server-green-smoke-\w+ …$/m,
            /^ *mcp-server-green-smoke-\w+: .*✗ GET \/health: expected status 200, found 503/m,
            /^The update failed: /m,
        ].map((line) => stdout.search(line));
        assert.ok(told[0]! >= 0 && told[0]! < told[1]! && told[1]! < told[2]!, stdout);
        await platform.settles(HOME);
        assert.equal(stackFile(), before);
    });

    it("takes a release back that fails in its soak, and notifies of the failure", async () => {
        const before = stackFile();
        const known = lab.world.notices.length;
        lab.world.errors = 100;
        const release = start("runbook", ...RELEASE);
        const gate = () => platform.gateRuns("mcp-server-green-soak").join();
        await eventually("the soak fails", () => /FAILED/.test(gate()), 300);
        const failed = performance.now();
        await eventually("blue has the traffic", async () => (await platform.traffic()).live === "blue", 300);
        measured("from the gate's failure to the switched Service", failed);
        const { status, stdout, stderr } = await release.done;
        assert.equal(status, 5, stdout + stderr);
        assert.match(stderr, /100 errors \(10\.\d\d %\); at most 5 % are allowed/);
        await platform.settles(HOME);
        assert.equal(stackFile(), before);
        const noticesOf = (...names: string[]) =>
            names.map((what) => `Release ${what}: mcp-server v2.1.0 (green), production`);
        assert.deepEqual(lab.world.notices.slice(known, known + 2), noticesOf("begins", "failed"));
        // Of the way back, too, unless its pod is gone first: kwok gives a pod no time to end, as a kubelet does.
        const later = lab.world.notices.slice(known + 2);
        assert.deepEqual(later, noticesOf("taken back").slice(0, later.length));
        const [, failure, back = failure!] = lab.world.texts.slice(known);
        for (const text of [failure!, back]) {
            assert.match(text, /^Failed: soak gate, at \S+\nReason: 9\d\d requests, 100 errors/m);
            assert.match(text, /^Ticket: CHG-2041$/m);
            assert.match(text, /^Commit: git log -1 -S v2\.1\.0 -- Pulumi\.production\.yaml$/m);
        }
        assert.match(failure!, /^Has the traffic: v2\.1\.0 \(green\)$/m);
        assert.match(failure!, /npm run runbook -- run rollback --workload mcp-server$/m);
    });

    it("ends in the soak on Ctrl-C, and goes on with the same command and --refresh", async () => {
        const soaks = () => platform.gateRuns("mcp-server-green-soak");
        const runs = soaks().length;
        const release = start("runbook", ...RELEASE);
        await eventually("the release soaks", () => /watching for/.test(soaks()[runs] ?? ""), 300);
        release.interrupt();
        const { status, stdout, stderr } = await release.done;
        assert.equal(status, 130, stdout + stderr);
        assert.match(
            stderr,
            /^Interrupted: what was done stays done, and the same command with --refresh goes on\.$/m,
        );
        await platform.settles({ live: "green", blue: 3, green: 3 });
        assert.match(stackFile(), /live: green/);

        const again = await runbook(...RELEASE, "--refresh");
        assert.equal(again.status, 0, again.stdout + again.stderr);
        assert.match(again.stderr, /^Done\.$/m);
        await platform.settles(RELEASED);
    });

    it("plans what a run then does, and tells the result as data", async () => {
        const rollback = ["blue-green-rollback", "--live", "blue", "--json"];
        const planned = await runbook("plan", ...rollback);
        assert.equal(planned.status, 0, planned.stderr);
        const { resources } = JSON.parse(planned.stdout) as {
            resources: { operation: string; type: string; name: string }[];
        };
        const run = await runbook("run", ...rollback, "--yes");
        assert.equal(run.status, 0, run.stderr);
        const result = JSON.parse(run.stdout) as RunResult;
        assert.deepEqual([result.outcome, result.begun], ["done", true]);
        assert.deepEqual(
            result.changes,
            resources
                .filter(({ operation }) => !["same", "read"].includes(operation))
                .map(({ operation, type, name }) => `${operation} ${type} ${name}`)
                .sort(),
        );
        await platform.settles(HOME);
    });

    it("goes to a revision of the ledger, which the releases' command lists", async () => {
        const { status, stdout, stderr } = await runbook(
            ...["run", "blue-green-rollback", "--to-revision", "2", "--yes"],
        );
        assert.equal(status, 0, stdout + stderr);
        await platform.settles(RELEASED);
        const listed = await start("releases", "list", "--stack", "production").done;
        assert.match(listed.stdout, /^ *1 +blue +v2\.0\.3 [^]*^\* +2 +green +v2\.1\.0 /m);
        const begun = performance.now();
        const command = start("runbook", "run", "blue-green-rollback", "--to-revision", "1", "--yes");
        await eventually("blue has the traffic", async () => (await platform.traffic()).live === "blue", 300);
        measured("from the command of a rollback to the switched Service", begun);
        const back = await command.done;
        assert.equal(back.status, 0, back.stdout + back.stderr);
        await platform.settles(HOME);
    });

    it("changes nothing that the API server refuses in the preview", async () => {
        const before = stackFile();
        const group = "/apis/admissionregistration.k8s.io/v1";
        await lab.api.post(`${group}/validatingadmissionpolicies`, {
            metadata: { name: "freeze" },
            spec: {
                matchConstraints: {
                    resourceRules: [
                        {
                            apiGroups: ["apps"],
                            apiVersions: ["v1"],
                            operations: ["UPDATE"],
                            resources: ["deployments"],
                        },
                    ],
                },
                validations: [{ expression: "false", message: "the cluster is frozen" }],
            },
        });
        await lab.api.post(`${group}/validatingadmissionpolicybindings`, {
            metadata: { name: "freeze" },
            spec: { policyName: "freeze", validationActions: ["Deny"] },
        });
        const restart = ["run", "restart", "--restart", "INC-1", "--yes"];
        // The API server takes a moment to heed a new policy.
        await eventually("deployments are frozen", async () => {
            const path = platform.path("apps/v1", "deployments/chat-ui?dryRun=All");
            const refusal = await lab.api
                .patch(path, { metadata: { labels: { frozen: "" } } })
                .catch(({ message }: Error) => message);
            return /frozen/.test(String(refusal));
        });
        const { status, stdout, stderr } = await runbook(...restart);
        assert.equal(status, 1, stdout + stderr);
        assert.match(stderr, /^Refused by the engine's preview: nothing was changed\.$/m);
        assert.match(stderr, /the cluster is frozen/);
        assert.equal(stackFile(), before);

        await lab.api.delete(`${group}/validatingadmissionpolicybindings/freeze`);
        await lab.api.delete(`${group}/validatingadmissionpolicies/freeze`);
    });

    it("has shown its secrets nowhere", async () => {
        assert.deepEqual(await platform.leaks(), []);
    });
});

function measured(what: string, since: number): void {
    console.log(`        measured: ${what}, seconds: ${((performance.now() - since) / 1000).toFixed(1)}`);
}
