import assert from "node:assert/strict";
import { createServer } from "node:https";
import { type Colour } from "../../core/numbers";
import { eventually } from "../cluster/api";
import { Lab, whyNoEngine } from "./lab";
import { GREEN, HOME, Platform, TARGET, type Traffic, withoutGates } from "./platform";
import { changesIn, type Running } from "./stack";
import { addressOf, listening } from "./world";

/* What can go wrong with a release, and how it ends: the table in section "A release" of the README, row by row, on
 * the real engine. Each release is tried, tried again with the same values, and taken back by the opposite ones. */

const SWITCH = "update kubernetes:core/v1:Service mcp-server";
/** Before the switch: the target is up, without users. */
const BEFORE: Traffic = { live: "blue", blue: 3, green: 3 };
/** After it: the target has the traffic, and the old colour is still at full size. */
const AFTER: Traffic = { live: "green", blue: 3, green: 3 };
const RELEASED: Traffic = { live: "green", blue: 0, green: 3 };

/** One thing that goes wrong. */
interface Fault {
    title: string;
    /** Whether it is among the tests of every change. */
    core?: true;
    /** Brings it about, before the update or while that is on its way. */
    strikes: (platform: Platform, running: () => Running) => Promise<unknown>;
    /** Output of the update, or the gate; empty if neither can report. */
    says?: RegExp;
    /** State of the cluster. */
    leaves: Traffic;
    /**
     * The same values again: a gate that runs again and fails as it did; or how the cause is removed, and what the
     * update that then goes on needs.
     */
    again: { gate: string } | { mend: (platform: Platform) => Promise<unknown>; args: string[] };
    /** The gate that stakeholders are notified of at that moment, without any command but pulumi up. Default: not looked at. */
    noticed?: string;
    /** What the opposite values change after a second failure, beside the target's gates, which go. */
    back?: string[];
}

const faults: Fault[] = [
    {
        title: "the notice to the stakeholders fails when it begins",
        strikes: async ({ lab, namespace }) => lab.world.muted.add(namespace),
        says: /FAILED mcp-server v2\.1\.0 \(green\): its stakeholders are not told: SNS: status 403/,
        leaves: HOME,
        again: { gate: "mcp-server-green-evidence" },
        back: [],
    },
    {
        title: "the smoke gate fails",
        core: true,
        strikes: async ({ lab }) => lab.world.failing.add("mcp-server-green"),
        says: /✗ GET \/health: expected status 200, found 503/,
        noticed: "smoke",
        leaves: BEFORE,
        again: { gate: "mcp-server-green-smoke" },
        back: [TARGET],
    },
    {
        title: "the soak sees too many errors",
        strikes: async ({ lab }) => (lab.world.errors = 100),
        says: /FAILED mcp-server v2\.1\.0 \(green\): 9\d\d requests, 100 errors \(10\.\d\d %\); at most 5 % are allowed/,
        leaves: AFTER,
        again: { gate: "mcp-server-green-soak" },
        back: [TARGET, SWITCH],
    },
    {
        title: "an operator aborts the soak",
        strikes: async (platform) => {
            await soaking(platform);
            await platform.writeLedger({ "mcp-server.abort": "v2.1.0" });
        },
        says: /FAILED mcp-server v2\.1\.0 \(green\): aborted by an operator/,
        leaves: AFTER,
        again: { gate: "mcp-server-green-soak" },
        back: [TARGET, SWITCH],
    },
    {
        title: "somebody points the Service back by hand during the soak",
        strikes: async (platform) => {
            await soaking(platform);
            await selects(platform, "blue");
        },
        says: /FAILED mcp-server v2\.1\.0 \(green\): Service mcp-server selects version=blue, not green any more/,
        leaves: BEFORE,
        again: { mend: async () => {}, args: ["--refresh"] },
    },
    {
        title: "the process is killed in the soak",
        core: true,
        strikes: async (platform, running) => {
            await soaking(platform);
            running().kill();
        },
        leaves: AFTER,
        again: {
            mend: async ({ stack }) => {
                const locked = await stack.up();
                assert.match(locked.output, /the stack is currently locked by 1 lock/);
                await stack.succeed("cancel", "--yes");
            },
            args: ["--refresh"],
        },
    },
    {
        title: "the API server goes away as the traffic is to be switched",
        strikes: cutAtSwitch,
        says: /mcp-server.*(connection refused|EOF|unreachable)/s,
        leaves: BEFORE,
        again: {
            mend: async ({ lab }) => {
                lab.line.mend();
                await lab.api.delete(`${WEBHOOKS}/switch`);
            },
            args: [],
        },
    },
    {
        title: "the ledger is deleted",
        strikes: (platform) => platform.lab.api.delete(platform.path("v1", "configmaps/mcp-releases")),
        says: /the release history, ConfigMap mcp-releases in mcp-production, is missing: restore it with: pulumi up --refresh/,
        leaves: HOME,
        again: { mend: async () => {}, args: ["--refresh"] },
    },
];

const WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

const missing = whyNoEngine();
const suite = missing ? describe.skip : describe;

suite(`a release that goes wrong on the engine${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(480_000);
    let lab: Lab;
    let platform: Platform;
    /** The ledger as it is after the installation. */
    let ledger: Record<string, string>;

    before(async function () {
        this.timeout(30 * 60_000);
        lab = await Lab.open((line) => console.log(`    ${line}`));
        platform = await Platform.of(lab, "production");
        await platform.install();
        ledger = await platform.ledger();
    });
    after(() => lab?.close());
    beforeEach(async () => {
        lab.world.heal();
        // The target has never been released.
        await platform.writeLedger({ "mcp-server.abort": null, "mcp-server.unreadable": null, ...ledger });
    });

    for (const { title, core, strikes, says, noticed, leaves, again, back } of faults) {
        it(`${title}: it stops there, goes on with the same values, and is undone by the opposite ones${core ? " @core" : ""}`, async () => {
            await platform.stack.set(GREEN);
            let running: Running | undefined;
            const struck = strikes(platform, () => running!);
            const first = await platform.attempt((args) => (running = platform.stack.start(args)));
            await struck;
            assert.notEqual(first.status, 0, first.said);
            assert.match(first.said, says ?? /^/);
            await platform.settles(leaves);
            if (noticed) await isNoticed(noticed);

            if ("gate" in again) {
                const runs = platform.gateRuns(again.gate).length;
                const second = await platform.attempt();
                assert.notEqual(second.status, 0, second.said);
                assert.match(second.said, says!);
                assert.equal(platform.gateRuns(again.gate).length, runs + 1);
                await platform.settles(leaves);
            } else {
                await again.mend(platform);
                const second = await platform.stack.up(...again.args);
                assert.equal(second.status, 0, second.output);
                await platform.settles(RELEASED);
            }

            await platform.stack.set();
            const undone = await platform.stack.up();
            assert.equal(undone.status, 0, undone.output);
            if (back === undefined) {
                assert.deepEqual(changesIn(undone.events), await platform.stack.predicted([GREEN], []));
            } else {
                assert.deepEqual(withoutGates(changesIn(undone.events)), back);
            }
            await platform.settles(HOME);
        });
    }

    async function isNoticed(gate: string): Promise<void> {
        const { notices, texts } = lab.world;
        await eventually(`stakeholders know that the ${gate} gate has failed`, () =>
            /^Release failed: mcp-server v2\.1\.0 \(green\)/.test(notices.at(-1) ?? ""),
        );
        assert.match(texts.at(-1)!, new RegExp(`^Failed: ${gate} gate, at .*\nReason: \\S`, "m"));
    }

    it("a garbled ledger is kept aside, and no release counts as the first one", async () => {
        await platform.writeLedger({ "mcp-server": "{{" });
        await platform.step(GREEN);
        await platform.settles(RELEASED);
        assert.match(platform.gateRuns("mcp-server-green-soak").at(-1)!, /10 of 10 s: 9\d\d requests/);
        assert.equal((await platform.ledger())["mcp-server.unreadable"], "{{");
        const runs = platform.gateRuns("mcp-server-blue-soak").length;
        await platform.step();
        await platform.settles(HOME);
        // It does not know the release it goes back to any more.
        assert.match(
            platform.gateRuns("mcp-server-blue-soak").slice(runs).join(),
            /10 of 10 s: 9\d\d requests/,
        );
    });

    it("what was changed by hand is taken back by an update that refreshes", async () => {
        await selects(platform, "green");
        await lab.api.patch(platform.path("apps/v1", "deployments/mcp-server-green/scale"), {
            spec: { replicas: 2 },
        });
        await platform.settles({ live: "green", blue: 3, green: 2 });
        const { status, output, events } = await platform.stack.up("--refresh");
        assert.equal(status, 0, output);
        assert.deepEqual(changesIn(events), [TARGET, SWITCH]);
        await platform.settles(HOME);
    });

    it("has shown its secrets nowhere, however it failed @core", async () => {
        assert.deepEqual(await platform.leaks(), []);
    });
});

/** Waits for the soak of the release that is on its way. */
async function soaking(platform: Platform): Promise<void> {
    const runs = platform.gateRuns("mcp-server-green-soak").length;
    await eventually(
        "the release soaks",
        () => /watching for/.test(platform.gateRuns("mcp-server-green-soak")[runs] ?? ""),
        180,
    );
}

function selects(platform: Platform, version: Colour): Promise<unknown> {
    return platform.lab.api.patch(platform.path("v1", "services/mcp-server"), {
        spec: { selector: { version } },
    });
}

/** Has the API server ask a webhook before it changes the Service: there the engine's line to it is cut. */
async function cutAtSwitch({ lab, namespace }: Platform): Promise<void> {
    const { certificate, privateKey } = lab.issue("webhook", ["localhost"]);
    const server = createServer({ cert: certificate, key: privateKey }, (request, response) => {
        let body = "";
        request.on("data", (part: Buffer) => (body += part.toString()));
        request.on("end", () => {
            const { uid, dryRun } = (JSON.parse(body) as { request: { uid: string; dryRun: boolean } })
                .request;
            if (!dryRun) lab.line.cut();
            const kind = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" };
            response.setHeader("content-type", "application/json");
            response.end(JSON.stringify({ ...kind, response: { uid, allowed: dryRun } }));
        });
    });
    await listening(server);
    server.unref();
    await lab.api.post(WEBHOOKS, {
        metadata: { name: "switch" },
        webhooks: [
            {
                name: "switch.example.com",
                admissionReviewVersions: ["v1"],
                sideEffects: "None",
                clientConfig: {
                    url: `https://localhost:${addressOf(server).port}`,
                    caBundle: Buffer.from(certificate).toString("base64"),
                },
                namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
                rules: [
                    { apiGroups: [""], apiVersions: ["v1"], operations: ["UPDATE"], resources: ["services"] },
                ],
                matchConditions: [{ name: "the-switch", expression: "object.metadata.name == 'mcp-server'" }],
            },
        ],
    });
}
