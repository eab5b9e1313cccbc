import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, type List, type Resource } from "../cluster/api";
import { watchEndpoints } from "../cluster/service-proxy";
import { copyWithSmallProduction } from "./smallProduction";
import { Lab, whyNoEngine } from "./lab";
import { GREEN, Platform, SERVER } from "./platform";
import { type EngineEvent, type Running } from "./stack";

/* An update is killed after each of its operations in turn, and resumed: SIGKILL ends the engine, its providers and the program.
 * At every moment the Service must select as many ready pods as before, and the Ingress must name a Secret that exists.
 * MCP_KILL_POINTS=5-8 limits the tests of every operation to these. */

/** A change that is made and taken back by turns. */
interface Change {
    title: string;
    /** Edits of the values before, and behind it. */
    from: string[];
    to: string[];
    /** Edits that lead back to the beginning, step by step. Default: none, in one. */
    home?: string[][];
    /** Kill points of the tests of every change: evenly spaced. Default: none. */
    sample?: number;
    /** Called before each update. Default: nothing. */
    prepare?: (platform: Platform) => Promise<unknown>;
    /** Fails unless the change to these edits is complete. */
    completed: (platform: Platform, edits: readonly string[]) => Promise<unknown>;
}

const TWO_CERTIFICATES = ["mcp:ingress.certificates[1]=mcp-tls-new"];
/** The soak is no more than its operation here. */
const BASE = [`${SERVER}.soak.duration=2s`];
const RESTORED = ["mcp:recovery.restoreTime=2026-01-31T10:30:00+05:30"];

const changes: Change[] = [
    {
        title: "a release",
        from: [],
        to: [GREEN],
        sample: 2,
        prepare: forgetOtherReleases,
        completed: async (platform, edits) => {
            const live = edits.includes(GREEN) ? "green" : "blue";
            await platform.settles({ live, blue: 0, green: 0, [live]: 3 });
            const { version } = (await platform.releases()).at(-1)!;
            assert.equal(version, live === "green" ? "v2.1.0" : "v2.0.3");
        },
    },
    {
        title: "a database switch",
        from: RESTORED,
        to: [...RESTORED, "mcp:database.active=recovery"],
        home: [[...RESTORED, "mcp:recovery.protect=false"], []],
        completed: async (platform, edits) => {
            const { data } = await platform.get<{ data: { host: string } }>("v1", "secrets/mcp-db-secret");
            const instance = edits.length > RESTORED.length ? /^mcp-recovery-/ : /^mcp-production-/;
            assert.match(Buffer.from(data.host, "base64").toString(), instance);
            await platform.settles({ live: "blue", blue: 3, green: 0 });
        },
    },
    {
        title: "a certificate rotation",
        from: TWO_CERTIFICATES,
        to: [...TWO_CERTIFICATES, "mcp:ingress.certificate=mcp-tls-new"],
        completed: async (platform, edits) => {
            const { spec } = await platform.get<IngressObject>(
                "networking.k8s.io/v1",
                "ingresses/mcp-ingress",
            );
            const active = edits.length > TWO_CERTIFICATES.length ? "mcp-tls-new" : "mcp-tls";
            assert.deepEqual(
                spec.tls.map(({ secretName }) => secretName),
                [active],
            );
        },
    },
];

type IngressObject = Resource<{ tls: { secretName: string }[] }>;

const missing = whyNoEngine();
const suite = missing ? describe.skip : describe;

suite(`an update that is killed on the engine${missing ? ` (skipped: ${missing})` : ""}`, function () {
    let lab: Lab;
    let folder: string;
    let platform: Platform;
    let watcher: Watcher;

    before(async function () {
        this.timeout(30 * 60_000);
        lab = await Lab.open((line) => console.log(`    ${line}`));
        folder = copyWithSmallProduction();
        platform = await Platform.ofCopy(lab, folder);
        await updated([]);
        await platform.settles({ live: "blue", blue: 3, green: 0 });
        watcher = new Watcher(platform);
    });
    after(async () => {
        watcher?.close();
        await lab?.close();
        if (folder) rmSync(folder, { recursive: true });
    });

    for (const change of changes) {
        const { title, sample } = change;
        if (sample !== undefined) {
            it(`${title} survives it at ${sample} evenly spaced operations @core`, async function () {
                this.timeout(900_000);
                await survives(change, (operations) =>
                    Array.from({ length: sample }, (_, index) =>
                        Math.round(((index + 0.5) * operations) / sample),
                    ),
                );
            });
        }
        it(`${title} survives it after each of its operations`, async function () {
            this.timeout(4 * 3600_000);
            const [first = 1, last = Infinity] = (process.env.MCP_KILL_POINTS ?? "")
                .split("-")
                .filter(Boolean)
                .map(Number);
            await survives(change, (operations) =>
                Array.from({ length: operations }, (_, index) => index + 1).filter(
                    (point) => point >= first && point <= last,
                ),
            );
        });
    }

    // The last: fields that are changed by hand are not the engine's any more.
    it("is watched: a Service that selects nothing, fewer ready pods and a missing certificate are seen @core", async function () {
        this.timeout(300_000);
        const own = new Watcher(platform);
        const seen = (problem: RegExp) =>
            eventually(`${problem} is seen`, () => own.problems.some((line) => problem.test(line)), 60);
        try {
            await own.begin();
            const service = platform.path("v1", "services/mcp-server");
            await lab.api.patch(service, { spec: { selector: { version: "none" } } });
            await seen(/^0 ready pods, expected at least 3$/);
            await lab.api.patch(service, { spec: { selector: { version: "blue" } } });

            const pods = "pods?labelSelector=app%3Dmcp-server,version%3Dblue";
            const { items } = await platform.get<List<Resource>>("v1", pods);
            await lab.api.delete(platform.path("v1", `pods/${items[0]!.metadata.name}`));
            await seen(/^2 ready pods, expected at least 3$/);

            const group = "networking.k8s.io/v1";
            const { spec } = await platform.get<IngressObject>(group, "ingresses/mcp-ingress");
            const tls = spec.tls.map((entry) => ({ ...entry, secretName: "mcp-tls-lost" }));
            await lab.api.patch(platform.path(group, "ingresses/mcp-ingress"), { spec: { tls } });
            await seen(/^the Ingress names mcp-tls-lost: /);
        } finally {
            own.close();
        }
    });

    /** Kills a change at operations of these numbers, there and back by turns, and resumes it. */
    async function survives(change: Change, pointsOf: (operations: number) => number[]): Promise<void> {
        const { from, to, title, home = [[]] } = change;
        await updated(from);
        // Undisturbed, to know what there is to disturb.
        await change.prepare?.(platform);
        const operations = operationsIn((await updated(to)).events).length;
        const points = pointsOf(operations);
        assert.ok(points.length > 0, `MCP_KILL_POINTS: expected numbers of 1 to ${operations}, such as 5-8`);
        await watcher.begin();
        let killed = 0;
        for (const [index, point] of points.entries()) {
            const edits = index % 2 === 0 ? from : to;
            console.log(`        ${title}: killed after operation ${point} of ${operations}`);
            await change.prepare?.(platform);
            killed += (await killedAfter(point, edits)) ? 1 : 0;
            await resumed();
            await change.completed(platform, edits);
            assert.deepEqual(watcher.problems, []);
        }
        // The last operation may be the end of the update.
        assert.ok(killed >= points.length - 1, `${killed} of ${points.length} updates were killed`);
        console.log(
            `        ${title}: ${operations} operations, ${killed} kill points, ${watcher.states} states of the Service ` +
                `and the Ingress, at least ${watcher.fewest} ready pods`,
        );
        for (const edits of home) await updated(edits);
    }

    /** Starts an update and kills it once it has carried out so many operations; false where it was done by then. */
    async function killedAfter(point: number, edits: readonly string[]): Promise<boolean> {
        await platform.stack.set(...BASE, ...edits);
        const running: Running = platform.stack.start(["up", "--yes", "--skip-preview"]);
        let ended = false;
        void running.done.then(() => (ended = true));
        while (!ended && operationsIn(running.events()).length < point) await sleep(10);
        running.kill();
        const { status, output } = await running.done;
        assert.ok(status === undefined || status === 0, output);
        return status === undefined;
    }

    /** Goes on with the same values, as docs/upgrades-and-state.md says. */
    async function resumed(): Promise<void> {
        const { stack } = platform;
        // Fails where the update was done by then, and had given its lock back.
        await stack.start(["cancel", "--yes"]).done;
        const mayExist = (await pendingOperations()).some(({ type }) => type === "creating");
        if (mayExist) await stack.succeed("refresh", "--yes", "--skip-preview", "--clear-pending-creates");
        const { status, output } = await stack.up(...(mayExist ? [] : ["--refresh"]));
        assert.equal(status, 0, output);
        assert.deepEqual(await pendingOperations(), []);
    }

    async function pendingOperations(): Promise<{ type: string }[]> {
        const file = join(lab.folder, "kills.json");
        await platform.stack.succeed("stack", "export", "--file", file);
        const { deployment } = JSON.parse(readFileSync(file, "utf8")) as {
            deployment: { pending_operations?: { type: string }[] };
        };
        return deployment.pending_operations ?? [];
    }

    async function updated(edits: readonly string[]) {
        await platform.stack.set(...BASE, ...edits);
        const result = await platform.stack.up();
        assert.equal(result.status, 0, result.output);
        return result;
    }
});

/** The operations on resources that an update has carried out so far. */
function operationsIn(events: readonly EngineEvent[]): string[] {
    return events.flatMap(({ resOutputsEvent }) => {
        if (resOutputsEvent === undefined) return [];
        const { op, type, urn } = resOutputsEvent.metadata;
        return ["same", "read", "refresh"].includes(op) ||
            type.startsWith("mcp:") ||
            type.startsWith("pulumi:")
            ? []
            : [`${op} ${urn}`];
    });
}

/** Has the gates of the next release run in full: of those in the history, only the one that has the traffic stays. */
async function forgetOtherReleases(platform: Platform): Promise<void> {
    const { live } = await platform.traffic();
    const version = live === "green" ? "v2.1.0" : "v2.0.3";
    const own = (await platform.releases()).filter((release) => release.version === version).slice(-1);
    await platform.writeLedger({ "mcp-server": JSON.stringify(own) });
}

/** Looks at every state of MCP Server's endpoints, and of the Ingress. */
class Watcher {
    readonly problems: string[] = [];
    states = 0;
    fewest = Infinity;
    private readonly ends: (() => void)[];
    private ready: number | undefined;
    private before: number | undefined;

    constructor(platform: Platform) {
        const { lab, namespace } = platform;
        const ingresses = platform.path("networking.k8s.io/v1", "ingresses");
        this.ends = [
            watchEndpoints(lab.api, namespace, "mcp-server", ({ ready }) => {
                this.ready = ready.length;
                if (this.before === undefined) return;
                this.states += 1;
                this.fewest = Math.min(this.fewest, ready.length);
                if (ready.length < this.before)
                    this.problems.push(`${ready.length} ready pods, expected at least ${this.before}`);
            }),
            lab.api.watch<IngressObject>(ingresses, (type, { spec }) => {
                this.states += 1;
                if (type === "DELETED") this.problems.push("there is no Ingress");
                for (const { secretName } of spec.tls) {
                    platform.get("v1", `secrets/${secretName}`).catch((error: Error) => {
                        this.problems.push(`the Ingress names ${secretName}: ${error.message}`);
                    });
                }
            }),
        ];
    }

    /** Takes the pods that are ready now as those that must stay. */
    async begin(): Promise<void> {
        this.before = await eventually("there are ready pods", () => this.ready || undefined);
        this.fewest = this.before;
        this.states = 0;
    }

    close(): void {
        for (const end of this.ends) end();
    }
}
