import assert from "node:assert/strict";
import { eventually } from "../cluster/api";
import { Lab, whyNoEngine } from "./lab";
import { GREEN, HOME, Platform, TARGET, type Traffic, withoutGates } from "./platform";
import { changesIn, type Running } from "./stack";

/* Faults of a release as in faults.test.ts, but those that an update notices only after the five minutes that a rollout
 * and the capacity gate have. */

interface SlowFault {
    title: string;
    /** Each has a separate namespace: they wait at the same time. */
    namespace: string;
    /** Brings it about before the update. */
    strikes: (platform: Platform) => Promise<unknown>;
    /** What the update, or the gate, says about it. */
    says: RegExp;
    leaves: Traffic;
    /** Whether an update with the same values waits again. */
    waits: (platform: Platform, running: Running) => Promise<boolean>;
}

const slowFaults: SlowFault[] = [
    {
        title: "the target never becomes ready",
        namespace: "mcp-never-ready",
        strikes: refusePodsOfGreen,
        says: /mcp-server-green.*(timed out|timeout)/s,
        leaves: HOME,
        waits: async (_, running) => {
            const begun = running.events().map(({ resourcePreEvent }) => resourcePreEvent?.metadata);
            return begun.some((step) => step?.op === "update" && step.urn.endsWith("::mcp-server-green"));
        },
    },
    {
        title: "there is no room for as many pods as the live colour has",
        namespace: "mcp-no-room",
        strikes: (platform) =>
            platform.lab.api.post(platform.path("v1", "resourcequotas"), {
                metadata: { name: "room" },
                // What is there takes 2000m, a pod of MCP Server 500m and a gate 50m.
                spec: { hard: { "requests.cpu": "2800m" } },
            }),
        says: /FAILED mcp-server v2\.1\.0 \(green\): the deadline of 300 s passed, 1 of 3 pods ready/,
        leaves: { live: "blue", blue: 3, green: 1 },
        waits: async (platform) => platform.gateRuns("mcp-server-green-capacity").length === 2,
    },
];

const missing = whyNoEngine();
const suite = missing ? describe.skip : describe;

suite(`a release that waits in vain on the engine${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(900_000);
    let lab: Lab;
    let endings: Map<string, Promise<Platform>>;

    before(async function () {
        this.timeout(30 * 60_000);
        lab = await Lab.open((line) => console.log(`    ${line}`));
        endings = new Map(slowFaults.map((fault) => [fault.title, isRetriedAndUndone(lab, fault)]));
        for (const ending of endings.values()) ending.catch(() => "covered by a separate test");
    });
    after(() => lab?.close());

    for (const { title } of slowFaults) {
        it(`${title}: it waits again with the same values, and is undone by the opposite ones`, async () => {
            await endings.get(title);
        });
    }

    it("has shown its secrets nowhere, however it failed", async () => {
        for (const ending of endings.values()) assert.deepEqual(await (await ending).leaks(), []);
    });
});

async function isRetriedAndUndone(lab: Lab, fault: SlowFault): Promise<Platform> {
    const { namespace, strikes, says, leaves, waits } = fault;
    const own = await Platform.of(lab, "production", `mcp:kubernetes.namespace=${namespace}`);
    await own.install();
    await strikes(own);
    await own.stack.set(GREEN);
    const first = await own.attempt();
    assert.notEqual(first.status, 0, first.said);
    assert.match(first.said, says);
    await own.settles(leaves);

    // It would be another five minutes: once it is seen to wait, somebody presses Ctrl-C.
    const second = own.stack.start(["up", "--yes", "--skip-preview"]);
    await eventually("it waits again", () => waits(own, second), 180);
    second.interrupt();
    assert.notEqual((await second.done).status, 0);
    await own.settles(leaves);

    await own.stack.set();
    const undone = await own.stack.up();
    assert.equal(undone.status, 0, undone.output);
    assert.deepEqual(withoutGates(changesIn(undone.events)), [TARGET]);
    await own.settles(HOME);
    return own;
}

/** Has the API server refuse every pod of the target, as where an image breaks a rule of the cluster. */
async function refusePodsOfGreen({ lab, namespace }: Platform): Promise<void> {
    const group = "/apis/admissionregistration.k8s.io/v1";
    const [metadata, only] = [{ name: namespace }, { "kubernetes.io/metadata.name": namespace }];
    await lab.api.post(`${group}/validatingadmissionpolicies`, {
        metadata,
        spec: {
            matchConstraints: {
                resourceRules: [
                    { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] },
                ],
            },
            validations: [{ expression: "object.metadata.?labels[?'version'].orValue('') != 'green'" }],
        },
    });
    await lab.api.post(`${group}/validatingadmissionpolicybindings`, {
        metadata,
        spec: {
            policyName: namespace,
            validationActions: ["Deny"],
            matchResources: { namespaceSelector: { matchLabels: only } },
        },
    });
}
