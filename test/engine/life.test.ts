import assert from "node:assert/strict";
import { type ApprovalPlan } from "../../jobs/evidence";
import { at } from "../../offline/summary";
import { catalogue } from "../../runbook/catalogue";
import { exampleEdits } from "../../runbook/parameters";
import { DATABASE, SCALE_UP_REPLICAS } from "../../core/numbers";
import { eventually, type List, type Resource } from "../cluster/api";
import { STEPS } from "../golden";
import { only, recordStack, withoutHashes } from "../support";
import { Lab, whyNoEngine } from "./lab";
import { GREEN, Platform, quickGates, SERVER } from "./platform";
import { PLANTED } from "./planted";
import { changesIn, type Result, secondsOf } from "./stack";

/* The life of the platform, driven by the real CLI against a real API server. Every update changes exactly what the
 * offline preview says. */

const WARM = `${SERVER}.standby=warm`;

const missing = whyNoEngine();
const suite = missing ? describe.skip : describe;

suite(`the platform's life on the engine${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(600_000);
    let lab: Lab;
    let production: Platform;
    /** Seconds of an update with nothing to do: what the engine takes for this many resources. */
    let nothing = 0;

    before(async function () {
        this.timeout(30 * 60_000);
        lab = await Lab.open((line) => console.log(`    ${line}`));
        production = await Platform.of(lab, "production");
    });
    after(() => lab?.close());

    it("begins from nothing: one update installs production @core", async () => {
        await production.install();
        await production.settles({ live: "blue", blue: 3, green: 0 });
        const [first, ...others] = await production.releases();
        assert.deepEqual([first?.revision, first?.version, others], [1, "v2.0.3", []]);
        assert.match(
            production.gateRuns("mcp-server-blue-soak").join(),
            /first install: nothing to compare with/,
        );
        assert.match(production.gateRuns("mcp-ingress-certificate").join(), /PASSED 2 of 2 hosts/);
    });

    it("has nothing to do the second time @core", async () => {
        const update = await production.stack.up();
        assert.equal(update.status, 0, update.output);
        assert.deepEqual(changesIn(update.events), []);
        nothing = update.seconds;
    });

    it("has nothing to do in hardly more time than a preview takes", async () => {
        const times: Record<"update" | "preview", number[]> = { update: [nothing], preview: [] };
        for (let run = 0; run < 3; run += 1) {
            const preview = await production.stack.preview();
            const update = await production.stack.up();
            assert.deepEqual([...changesIn(preview.events), ...changesIn(update.events)], []);
            times.preview.push(preview.seconds);
            times.update.push(update.seconds);
        }
        // The fastest of each: whatever else the machine does only adds to them.
        nothing = Math.min(...times.update);
        const ratio = nothing / Math.min(...times.preview);
        measured("update with nothing to do / preview", ratio, "goal 1.20");
        measured("update with nothing to do, seconds", nothing);
    });

    const procedures = catalogue
        // Some have separate tests: a recovered database is not undone by the opposite edit, and tools are switched at
        // an address outside the cluster (tools.test.ts).
        .filter(
            ({ id, edits }) =>
                edits.length > 0 && !["database-recovery", "database-switch", "disable-tool"].includes(id),
        );
    for (const procedure of procedures) {
        const { id, from = [], changes } = procedure;
        const core = id === "blue-green-release" ? " @core" : "";
        it(`follows the runbook: ${id} changes what it promises, and its opposite takes it back${core}`, async () => {
            await preparations[id]?.(exampleEdits(procedure));
            if (from.length > 0) await production.step(...from);
            const result = await production.step(...from, ...exampleEdits(procedure));
            const promised = changes.map(({ operation, type, name }) => `${operation} ${type} ${name}`);
            assert.deepEqual(withoutHashes(changesIn(result.events)), promised.sort());
            await followUps[id]?.(result);
            await production.step();
            await production.settles({ live: "blue", blue: 3, green: 0 });
        });
    }

    /** What must be there before. */
    const preparations: Record<string, (edits: string[]) => Promise<unknown>> = {
        // To go back to a version it must have been there before.
        rollback: async (edits) => {
            const recording = await recordStack("production", ...production.stack.valuesWith(edits));
            const { inputs } = only(recording, "kubernetes:core/v1:ConfigMap", "chat-ui-evidence-program");
            const plan = JSON.parse(String(at(inputs, "data", "plan.json"))) as ApprovalPlan;
            const known = { ...plan.release, evidence: { at: "before" } };
            await production.writeLedger({ "chat-ui": JSON.stringify([known]) });
        },
    };

    /** What is there afterwards, beside the changes. */
    const followUps: Record<string, (result: Result) => Promise<void>> = {
        "blue-green-stage": () => production.settles({ live: "blue", blue: 3, green: 3 }),
        "blue-green-release": async (result) => {
            await production.settles({ live: "green", blue: 0, green: 3 });
            const { revision, version, evidence } = (await production.releases()).at(-1)!;
            assert.deepEqual([revision, version], [2, "v2.2.0"]);
            assert.deepEqual(evidence?.approvers, ["change-board"]);
            told(version);
            assert.match(
                production.gateRuns("mcp-server-green-soak").at(-1)!,
                /10 of 10 s: 9\d\d requests, 0 errors/,
            );
            const beyond = result.seconds - secondsOf(result.events, /:Job$/);
            measured("release beyond its gates, seconds", beyond, "goal 15");
            measured("of that, beyond an update with nothing to do, seconds", beyond - nothing);
        },
        // Stakeholders were notified of the release before it, and not of the rollback to a known one.
        "blue-green-rollback": async () => told("v2.1.0"),
        "scale-up": async () => {
            await eventually("the autoscaler follows its new minimum", async () => {
                const { blue } = await production.traffic();
                return blue === SCALE_UP_REPLICAS;
            });
            // It stays at the new number of pods, unless somebody takes them away once it may.
            await production.step();
            await lab.api.patch(production.path("apps/v1", "deployments/mcp-server-blue/scale"), {
                spec: { replicas: 3 },
            });
        },
    };

    function told(version: string): void {
        assert.deepEqual(
            lab.world.notices.filter((subject) => subject.includes(version)),
            ["begins", "done"].map((what) => `Release ${what}: mcp-server ${version} (green), production`),
        );
    }

    it("rolls back at once to a colour that is kept warm", async () => {
        await production.step(WARM);
        await production.settles({ live: "blue", blue: 3, green: 3 });
        await production.step(WARM, GREEN);
        await production.settles({ live: "green", blue: 3, green: 3 });
        const soaks = production.gateRuns("mcp-server-blue-soak").length;
        const result = await production.step(WARM);
        await production.settles({ live: "blue", blue: 3, green: 3 });
        assert.match(
            production.gateRuns("mcp-server-blue-soak").slice(soaks).join(),
            /v2\.0\.3 was completed at \S+ not tested again/,
        );
        const waiting = secondsOf(result.events, /^kubernetes:/);
        const beyond = result.seconds - waiting;
        measured("rollback to a running colour beyond the provider's waits, seconds", beyond, "goal 5");
        measured("of that, beyond an update with nothing to do, seconds", beyond - nothing);
        await production.step();
    });

    it("takes two releases in a row, and no second update while one runs", async () => {
        await production.step(GREEN);
        const versions = async () => (await production.releases()).map(({ version }) => version);
        const known = await versions();
        const next = ["version", "change.version"].map((key) => `${SERVER}.releases.blue.${key}=v2.3.0`);
        // The reason of the first installation is not its own.
        next.push(`${SERVER}.releases.blue.change.skip=INC-7`);
        await production.step(GREEN, ...next);
        await production.settles({ live: "green", blue: 0, green: 3 });

        const soaks = () => production.gateRuns("mcp-server-blue-soak").length;
        const [before, release] = [soaks(), production.step(...next)];
        await eventually("the release soaks", () => soaks() > before, 300);
        const second = await production.stack.up();
        assert.notEqual(second.status, 0);
        assert.match(second.output, /the stack is currently locked by 1 lock/);
        await release;
        await production.settles({ live: "blue", blue: 3, green: 0 });
        assert.deepEqual(await versions(), [...known, "v2.3.0"]);
        await production.step();
    });

    it("releases two workloads at once, each behind its own gates", async () => {
        const { before, after } = STEPS["two-workloads-at-once"]!;
        const tools = quickGates("mcp:workloads.tools");
        await production.step(...before, ...tools);
        await production.step(...after, ...tools);
        await production.settles({ live: "green", blue: 0, green: 3 });
        const { spec } = await production.get<Resource<{ selector: object }>>("v1", "services/tools");
        assert.deepEqual(spec.selector, { app: "tools", version: "green" });
        assert.match(production.gateRuns("tools-green-soak").join(), /10 of 10 s: 9\d\d requests/);
        await production.step();
    });

    it("restores a database beside the first, switches to it and back, and removes it in two steps @core", async () => {
        const restored = ["mcp:recovery.restoreTime=2026-01-31T10:30:00+05:30"];
        const active = [...restored, "mcp:database.active=recovery"];
        const host = async () => {
            const { data } = await production.get<{ data: Record<string, string> }>(
                "v1",
                `secrets/${DATABASE.secret}`,
            );
            const url = Buffer.from(data["url"]!, "base64").toString();
            return new RegExp(`^postgresql://mcp:${PLANTED}[^@]*@([^:]+):5432/mcp\\?sslmode=require$`).exec(
                url,
            )?.[1];
        };
        const pods = async () => {
            const { items } = await production.get<List<Resource>>(
                "v1",
                "pods?labelSelector=app%3Dmcp-server,version%3Dblue",
            );
            return items.map(({ metadata }) => metadata.name);
        };
        assert.match((await host())!, /^mcp-production-/);

        await production.step(...restored);
        assert.match((await host())!, /^mcp-production-/);
        const served = await pods();
        await production.step(...active);
        assert.match((await host())!, /^mcp-recovery-/);
        assert.deepEqual(
            (await pods()).filter((name) => served.includes(name)),
            [],
            "a pod still has the old URL",
        );

        // Another time would replace it: refused before anything changes.
        await production.stack.set(...active, "mcp:recovery.restoreTime=2026-01-31T11:30:00+05:30");
        const edited = await production.stack.preview();
        assert.notEqual(edited.status, 0);
        assert.match(
            edited.output,
            /unable to replace resource "\S+::mcp-recovery"\s+as it is currently marked for protection/,
        );

        await production.step(...restored);
        assert.match((await host())!, /^mcp-production-/);
        await production.stack.set();
        const refused = await production.stack.preview();
        assert.notEqual(refused.status, 0);
        assert.match(refused.output, /protect/);
        await production.step(...restored, "mcp:recovery.protect=false");
        await production.step();
    });

    it("has shown its secrets nowhere @core", async () => {
        assert.deepEqual(await production.leaks(), []);
    });

    it("ends production only when its protection is taken off", async () => {
        const refused = await production.stack.start(["destroy", "--yes"]).done;
        assert.notEqual(refused.status, 0);
        assert.match(refused.output, /protect/);
        await production.settles({ live: "blue", blue: 3, green: 0 });
        await production.stack.succeed("state", "unprotect", "--all", "--yes");
        await production.stack.succeed("destroy", "--yes", "--skip-preview");
        await isGone(production);
    });

    it("installs and ends staging", async () => {
        const staging = await Platform.of(lab, "staging");
        await staging.install();
        await staging.settles({ live: "blue", blue: 1, green: 0 });
        await staging.stack.succeed("destroy", "--yes", "--skip-preview");
        await isGone(staging);
    });

    async function isGone({ namespace }: Platform): Promise<void> {
        const { items } = await lab.api.get<List<Resource>>("/api/v1/namespaces");
        assert.ok(items.every(({ metadata }) => metadata.name !== namespace));
    }
});

function measured(what: string, figure: number, goal?: string): void {
    console.log(`        measured: ${what}: ${figure.toFixed(2)}${goal ? ` (${goal})` : ""}`);
}
