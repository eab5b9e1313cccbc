import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { judgeRecording } from "../../offline/judge";
import { rules } from "../../policies/rules";
import { catalogue } from "../../runbook/catalogue";
import { type List, type Resource } from "../cluster/api";
import { STEPS } from "../golden";
import { Engine, type Outcome, PLANTED, whyNoEngine } from "./engine";

/* The life of a stack on the real engine: what each update changes is what the offline preview said it would. */

const SERVER = "mcp:workloads.mcp-server";
const WARM = `${SERVER}.standby=warm`;
const GREEN = `${SERVER}.live=green`;
const NAMESPACE = "mcp-production";

const missing = whyNoEngine();
const suite = missing ? describe.skip : describe;

suite(`the life of a stack on the real engine${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.bail(true);
    let engine: Engine;
    /** Edits the stack stands at; undefined before it is installed. */
    let now: readonly string[] | undefined;

    /** Updates the stack, and expects exactly what was predicted. */
    async function moveTo(edits: readonly string[]): Promise<Outcome> {
        const predicted = await engine.predicted("production", now, edits);
        const outcome = await engine.up("production", edits);
        assert.equal(outcome.code, 0, outcome.output);
        now = edits;
        assert.deepEqual(sorted(outcome.steps), sorted(predicted));
        return outcome;
    }

    const sorted = (steps: ReadonlyMap<string, string>) =>
        [...steps].map(([urn, operation]) => `${operation} ${urn}`).sort();

    const live = async () => {
        const { spec } = await engine.api.get<Resource<{ selector: Record<string, string> }>>(
            `/api/v1/namespaces/${NAMESPACE}/services/mcp-server`,
        );
        return spec.selector["version"];
    };

    const replicas = async (name: string) =>
        (
            await engine.api.get<Resource<{ replicas: number }>>(
                `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${name}`,
            )
        ).spec.replicas;

    const tell = (what: string) => console.log(`      ${what}`);

    before(async function () {
        this.timeout(30 * 60_000);
        engine = await Engine.open();
    });
    after(() => engine?.close());

    it("is installed from nothing", async () => {
        const { seconds, steps } = await moveTo([]);
        tell(`${steps.size} resources in ${seconds.toFixed(1)} s`);
        assert.equal(await live(), "blue");
        assert.equal(await replicas("mcp-server-green"), 0);
    });

    it("has nothing to do the second time", async () => {
        const update = await engine.up("production", []);
        assert.equal(update.code, 0, update.output);
        assert.deepEqual(sorted(update.steps), []);
        const preview = await engine.preview("production", []);
        assert.deepEqual([preview.code, sorted(preview.steps)], [0, []]);
        tell(`update with nothing to do ÷ preview: ${(update.seconds / preview.seconds).toFixed(2)}`);
    });

    const procedures = new Map(
        catalogue
            // A recovered database does not go by the opposite edit: it has a test of its own.
            .filter(({ id, edits }) => edits.length > 0 && !id.startsWith("database-"))
            .map(({ id, edits }) => {
                const paths = edits.map(({ path, example }) => `${path}=${example}`);
                return [paths.join(), { id, paths }];
            }),
    );
    for (const { id, paths } of procedures.values()) {
        it(`${id} and its opposite change what the catalogue promises and nothing else`, async () => {
            const there = await moveTo(paths);
            const back = await moveTo([]);
            tell(`${there.seconds.toFixed(1)} s and ${back.seconds.toFixed(1)} s`);
        });
    }

    it("moves traffic and scales the old colour away in one update, and back", async () => {
        const release = await moveTo([GREEN]);
        assert.equal(await live(), "green");
        assert.equal(await replicas("mcp-server-blue"), 0);
        assert.ok((await replicas("mcp-server-green")) >= 3);
        const rollback = await moveTo([]);
        assert.equal(await live(), "blue");
        assert.equal(await replicas("mcp-server-green"), 0);
        tell(`${release.seconds.toFixed(1)} s, ledger known; rollback cold ${rollback.seconds.toFixed(1)} s`);
    });

    it("rolls back to a running colour in seconds", async () => {
        await moveTo([WARM]);
        await moveTo([WARM, GREEN]);
        assert.ok((await replicas("mcp-server-blue")) >= 3, "the idle colour is not warm");
        const { seconds } = await moveTo([WARM]);
        assert.equal(await live(), "blue");
        assert.ok((await replicas("mcp-server-green")) >= 3, "the idle colour is not warm");
        tell(`${seconds.toFixed(1)} s`);
        await moveTo([]);
    });

    it("releases two workloads at once", async () => {
        const { before, after } = STEPS["two-workloads-at-once"]!;
        const soak = ["duration=20s", "onNoData=pass"].map((edit) => `mcp:workloads.tools.soak.${edit}`);
        await moveTo([...before, ...soak]);
        await moveTo([...after, ...soak]);
        assert.equal(await live(), "green");
        await moveTo([]);
    });

    it("restores a database beside the first, switches to it and back, and removes it in two steps", async () => {
        const restored = ["mcp:recovery.restoreTime=2026-01-31T10:30:00+05:30"];
        const active = [...restored, "mcp:database.active=recovery"];
        const host = async () => {
            const { data } = await engine.api.get<{ data: Record<string, string> }>(
                `/api/v1/namespaces/${NAMESPACE}/secrets/mcp-db-secret`,
            );
            const url = Buffer.from(data["url"]!, "base64").toString();
            return /^postgresql:\/\/mcp:planted-[0-9a-f]+@([^:]+):5432\/mcp\?sslmode=require$/.exec(url)?.[1];
        };
        const pods = async () =>
            (
                await engine.api.get<List<Resource>>(
                    `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=app%3Dmcp-server,version%3Dblue`,
                )
            ).items.map(({ metadata }) => metadata.name);
        assert.match((await host())!, /^mcp-production-/);

        await moveTo(restored);
        assert.match((await host())!, /^mcp-production-/);
        const served = await pods();
        await moveTo(active);
        assert.match((await host())!, /^mcp-recovery-/);
        assert.deepEqual(
            (await pods()).filter((name) => served.includes(name)),
            [],
            "a pod still has the old URL",
        );

        const edited = await engine.preview("production", [
            ...active,
            "mcp:recovery.restoreTime=2026-01-31T11:30:00+05:30",
        ]);
        assert.notEqual(edited.code, 0);
        assert.match(edited.output, /mcp-recovery.*protected|protected.*mcp-recovery/s);

        await moveTo(restored);
        assert.match((await host())!, /^mcp-production-/);
        const refused = await engine.up("production", []);
        assert.notEqual(refused.code, 0);
        assert.match(refused.output, /protect/);
        await moveTo([...restored, "mcp:recovery.protect=false"]);
        await moveTo([]);
    });

    it("releases one version after the other", async () => {
        const blue = (version: string) => `${SERVER}.releases.blue.version=${version}`;
        const green = (version: string) => `${SERVER}.releases.green.version=${version}`;
        await moveTo([GREEN]);
        await moveTo([GREEN, blue("v2.2.0")]);
        await moveTo([blue("v2.2.0")]);
        assert.equal(await live(), "blue");
        await moveTo([blue("v2.2.0"), green("v2.3.0")]);
        await moveTo([blue("v2.2.0"), green("v2.3.0"), GREEN]);
        assert.equal(await live(), "green");
        const { data } = await engine.api.get<{ data: Record<string, string> }>(
            `/api/v1/namespaces/${NAMESPACE}/configmaps/mcp-releases`,
        );
        const versions = (JSON.parse(data["mcp-server"]!) as { version: string }[]).map(
            ({ version }) => version,
        );
        assert.deepEqual(versions, ["v2.0.3", "v2.1.0", "v2.2.0", "v2.3.0"]);
    });

    it("is judged by the policy pack as it is offline", async () => {
        const edits = now!;
        const { code, output, policies } = await engine.preview("production", edits, [
            "--policy-pack",
            "policies",
        ]);
        assert.equal(code, 0, output);
        const offline = judgeRecording(await engine.record("production", edits), rules);
        const violations = offline.filter(({ kind }) => kind === "violation");
        const found = policies.filter(({ policyName }) => !policyName.startsWith("undetermined-"));
        assert.deepEqual(
            found.map(({ policyName, resourceUrn }) => `${policyName} ${resourceUrn}`).sort(),
            violations.map(({ rule, urn }) => `${rule} ${urn}`).sort(),
        );
    });

    it("stops at the policy pack when a rule is broken", async () => {
        const { code, policies } = await engine.preview(
            "production",
            [...now!, "mcp:workloads.chat-ui.scaling.min=1"],
            ["--policy-pack", "policies"],
        );
        assert.notEqual(code, 0);
        assert.ok(policies.some(({ enforcementLevel }) => enforcementLevel === "mandatory"));
    });

    it("leaves nothing behind when staging is destroyed", async () => {
        const install = await engine.up("staging", []);
        assert.equal(install.code, 0, install.output);
        const destroyed = await engine.destroy("staging", []);
        assert.equal(destroyed.code, 0, destroyed.output);
        const { items } = await engine.api.get<{ items: Resource[] }>("/api/v1/namespaces");
        assert.deepEqual(
            items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith("mcp-")),
            [NAMESPACE],
        );
        const { deployment } = JSON.parse(await engine.succeed("stack", "export", "--stack", "staging")) as {
            deployment: { resources?: unknown[] };
        };
        assert.deepEqual(deployment.resources ?? [], []);
    });

    it("tells nobody a secret: not in state, output, events, nor the gates' lines", async () => {
        const events = await engine.api.get<object>(`/api/v1/namespaces/${NAMESPACE}/events`);
        const logs = engine.runner.runs.map(({ log }) => log).join("\n");
        const places = {
            state: engine.state("production"),
            output: engine.transcript,
            events: JSON.stringify(events),
            gates: logs,
            calls: readFileSync(engine.pluginLog, "utf8"),
        };
        for (const [place, text] of Object.entries(places)) {
            assert.ok(text.length > 0, `nothing to look at in ${place}`);
            for (const form of [
                PLANTED,
                Buffer.from(PLANTED).toString("base64").slice(0, -4),
                "PRIVATE KEY",
            ]) {
                const at = text.indexOf(form);
                assert.equal(at, -1, `${form} stands in ${place}: ${text.slice(Math.max(0, at - 200), at)}`);
            }
        }
    });
});
