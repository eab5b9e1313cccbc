import * as assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundledJob } from "../../jobs/bundle.cjs";
import { Kubernetes } from "../../jobs/lib/kubernetes";
import { type HistoryEntry } from "../../jobs/lib/releaseHistory";
import { runRelease } from "../../jobs/release";
import { type ReleaseOptions } from "../../jobs/release/context";
import {
    type CapacityPlan,
    parseReleasePlan,
    type ReleasePlan,
    type ReleaseSmokePlan,
    type SoakPlan,
} from "../../jobs/release/plan";
import { runProgram, type Watch } from "./program";
import { app, FakeCluster, namespace } from "./releaseCluster";

interface Run {
    passed: boolean;
    /** The verdict. */
    line: string;
    lines: string[];
}

const release = {
    hash: "0a1b2c3d",
    version: "v2.1.0",
    image: "registry/mcp-server@sha256:1",
    ticket: "CHG-1042",
};
const date = "2026-11-23T12:00:00.000Z";
const subject = "mcp-server v2.1.0 (green)";

/** A release that came before. */
const former: HistoryEntry = {
    revision: 6,
    hash: "former",
    version: "v2.0.3",
    image: "registry/mcp-server@sha256:0",
    colour: "blue",
    smokeAt: "2026-10-01T12:00:00.000Z",
    completedAt: "2026-10-01T12:10:00.000Z",
};
const formerly = (...more: HistoryEntry[]) => ({ [app]: JSON.stringify([former, ...more]) });

describe("release gates", function () {
    this.timeout(10_000);

    const cluster = new FakeCluster();
    let folder: string;
    let target: Server;
    /** Status of the target's answers. */
    let health = 200;
    let asked = 0;

    before(async () => {
        folder = mkdtempSync(join(tmpdir(), "release-gate-"));
        await cluster.start(folder);
        target = createServer((_, response) => {
            asked += 1;
            response.writeHead(health).end();
        }).listen(0, "127.0.0.1");
        await once(target, "listening");
    });

    beforeEach(() => {
        cluster.reset();
        cluster.autoscaler("green", 2, 4);
        health = 200;
        asked = 0;
    });

    after(() => {
        cluster.stop();
        target.close();
        target.closeAllConnections();
        rmSync(folder, { recursive: true });
    });

    const base = {
        subject,
        deadlineSeconds: 20,
        namespace,
        app,
        colour: "green" as const,
        release,
        ledger: "mcp-releases",
    };

    const capacityPlan = (more: Partial<CapacityPlan> = {}): CapacityPlan => ({
        gate: "capacity",
        ...base,
        ...more,
    });

    const smokePlan = (): ReleaseSmokePlan => ({
        gate: "smoke",
        ...base,
        smoke: {
            subject,
            target: `http://127.0.0.1:${(target.address() as AddressInfo).port}`,
            deadlineSeconds: 5,
            requests: [
                {
                    name: "GET /health",
                    method: "GET",
                    path: "/health",
                    headers: {},
                    timeoutSeconds: 2,
                    attempts: 1,
                    expect: { status: 200 },
                },
            ],
        },
    });

    const counter = { counter: "http_requests_total", labels: { path: "^/mcp" } };
    const podMetrics = () => ({
        path: "/metrics",
        port: cluster.metricsPort,
        requests: counter,
        errors: { ...counter, labels: { ...counter.labels, status: "^5" } },
    });
    const soakPlan = (more: Partial<SoakPlan> = {}): SoakPlan => ({
        gate: "soak",
        ...base,
        durationSeconds: 10,
        maxErrorPercent: 5,
        minimumRequests: 100,
        allowNoData: false,
        metrics: podMetrics(),
        ...more,
    });

    async function gate(plan: ReleasePlan, options: Partial<ReleaseOptions> = {}): Promise<Run> {
        const lines: string[] = [];
        const log = (line: string) => void lines.push(line);
        const client = cluster.client(log);
        const { passed, line } = await runRelease(parseReleasePlan(JSON.parse(JSON.stringify(plan))), {
            log,
            signal: new AbortController().signal,
            cluster: client,
            date: () => new Date(date),
            // A second passes with each look at the Service, so that a soak takes as many looks as seconds.
            now: () => 1000 * cluster.asked("get services"),
            pollSeconds: 0.001,
            lineSeconds: 4,
            settleSeconds: 3,
            ...options,
        });
        assert.ok(line.startsWith(`${passed ? "PASSED" : "FAILED"} ${subject}: `), line);
        return { passed, line: line.slice(`PASSED ${subject}: `.length), lines };
    }

    const passes = async (plan: ReleasePlan, line: string | RegExp, options?: Partial<ReleaseOptions>) =>
        ended(await gate(plan, options), true, line);
    const fails = async (plan: ReleasePlan, line: string | RegExp, options?: Partial<ReleaseOptions>) =>
        ended(await gate(plan, options), false, line);

    function ended(run: Run, passed: boolean, line: string | RegExp): Run {
        const all = [...run.lines, run.line].join("\n");
        if (typeof line === "string") assert.equal(run.line, line, all);
        else assert.match(run.line, line, all);
        assert.equal(run.passed, passed, all);
        return run;
    }

    describe("capacity", () => {
        const blue = (count: number, ready = count) => {
            cluster.service("blue");
            for (let n = 1; n <= count; n += 1) cluster.pod("blue", n, { ready: n <= ready });
        };

        beforeEach(() => cluster.ledger());

        it("passes with as many ready pods as the live colour has", async () => {
            blue(4, 3);
            cluster.deployment("green", 3);
            await passes(capacityPlan(), "ready pods: 3, needed: 3.");
            assert.equal(cluster.asked("patch deployments/scale"), 0);
        });

        it("does not count pods that are being deleted, and stays within bounds", async () => {
            blue(3);
            cluster.pod("blue", 1, { deleted: true });
            cluster.pod("blue", 2, { deleted: true });
            cluster.deployment("green", 2);
            await passes(capacityPlan(), "ready pods: 2, needed: 2.");
            blue(6);
            cluster.deployment("green", 4);
            await passes(capacityPlan(), "ready pods: 4, needed: 4.");
        });

        it("scales the target up, and waits for its present generation", async () => {
            blue(3);
            cluster.deployment("green", 1);
            cluster.onRequest = (request, nth) => {
                if (request !== "get deployments") return;
                // What a controller does, step by step; only the last is good.
                if (nth === 3) cluster.deployment("green", 3, { observedGeneration: 1 }, 2);
                if (nth === 4) cluster.deployment("green", 3, { readyReplicas: 2 }, 2);
                if (nth === 6) cluster.deployment("green", 3, { updatedReplicas: 2 }, 2);
                if (nth === 7) cluster.deployment("green", 3, {}, 2);
            };
            const { lines } = await passes(capacityPlan(), "ready pods: 3, needed: 3.");
            assert.deepEqual(lines, [
                `capacity ${subject} in ${namespace}`,
                "  mcp-server-green: scaled from 1 to 3",
                "  mcp-server-green: 1 of 3 pods ready",
                "  mcp-server-green: 0 of 3 pods ready",
                "  mcp-server-green: 2 of 3 pods ready",
                "  mcp-server-green: 0 of 3 pods ready",
            ]);
            assert.equal(cluster.asked("patch deployments/scale"), 1);
        });

        it("never scales down, nor undoes what somebody else has just set", async () => {
            blue(2);
            cluster.deployment("green", 5);
            await passes(capacityPlan(), "ready pods: 5, needed: 2.");
            cluster.deployment("green", 1);
            cluster.onRequest = (request) => {
                if (request === "patch deployments/scale") cluster.deployment("green", 4);
            };
            await passes(capacityPlan(), "ready pods: 4, needed: 2.");
            assert.equal(
                cluster.object<{ spec: { replicas: number } }>("deployments", "mcp-server-green").spec
                    .replicas,
                4,
            );
        });

        it("gives up a target that an update has gone back from, and leaves it scaled away", async () => {
            blue(3);
            cluster.deployment("green", 1);
            cluster.onRequest = (request, nth) => {
                if (request === "patch deployments/scale") cluster.deployment("green", 0);
                if (request === "get deployments" && nth > 5) throw new Error("it still looks");
            };
            await fails(capacityPlan(), "mcp-server-green is scaled to 0: it is no target any more.");
            assert.equal(cluster.asked("patch deployments/scale"), 1);
        });

        it("asks for no fewer when live pods falter", async () => {
            blue(3);
            cluster.deployment("green", 2);
            cluster.onRequest = (request, nth) => {
                if (request !== "list pods") return;
                if (nth === 3) blue(3, 1);
                if (nth === 5) cluster.deployment("green", 3);
            };
            await passes(capacityPlan(), "ready pods: 3, needed: 3.");
        });

        for (const [name, selector] of [
            ["no Service", null],
            ["a Service that selects no colour", undefined],
            ["a Service that selects the target", "green"],
        ] as const) {
            it(`asks for the minimum with ${name}`, async () => {
                blue(4);
                cluster.pod("green", 5);
                if (selector === null) cluster.remove("services", app);
                else cluster.service(selector);
                cluster.deployment("green", 2);
                await passes(capacityPlan(), "ready pods: 2, needed: 2.");
            });
        }

        it("names what is missing when the deadline has passed", async () => {
            cluster.deployment("green", 4, {
                readyReplicas: 1,
                conditions: [
                    {
                        type: "ReplicaFailure",
                        status: "True",
                        reason: "FailedCreate",
                        message: "exceeded quota",
                    },
                ],
            });
            cluster.pod("green", 1);
            const waiting = { reason: "ImagePullBackOff", message: 'Back-off pulling\n "a"' };
            cluster.pod("green", 2, { ready: false, waiting });
            cluster.pod("green", 3, { ready: false, unschedulable: "0/3 nodes are available" });
            cluster.autoscaler("green", 4, 4);
            await fails(
                capacityPlan({ deadlineSeconds: 1 }),
                "the deadline of 1 s passed, 1 of 4 pods ready; " +
                    'mcp-server-green-2 server waits: ImagePullBackOff (Back-off pulling "a"); ' +
                    "mcp-server-green-3 is Pending: Unschedulable (0/3 nodes are available); " +
                    "FailedCreate (exceeded quota); mcp-server-green has 3 pods.",
            );
        });

        it("stops a release that was aborted before it has users, unless it was completed once", async () => {
            blue(2);
            cluster.deployment("green", 2);
            const data = { [`${app}.abort`]: `${release.version} INC-7` };
            cluster.ledger(data);
            await fails(capacityPlan(), /aborted by an operator, INC-7\. To try this release again, first: /);
            cluster.ledger({ ...data, [app]: JSON.stringify([{ ...former, ...release }]) });
            await passes(capacityPlan(), "ready pods: 2, needed: 2.");
        });

        it("stops one that is aborted while the live colour is measured", async () => {
            blue(2);
            cluster.deployment("green", 2);
            cluster.ledger(formerly());
            const metrics = {
                ...{ path: "/metrics", port: cluster.metricsPort },
                ...{
                    requests: { counter: "http_requests_total" },
                    errors: { counter: "http_requests_total" },
                },
            };
            let waits = 0;
            const sleep = () => {
                if ((waits += 1) === 2)
                    cluster.ledger({ ...formerly(), [`${app}.abort`]: "v2.1.0 for scale-up" });
                return Promise.resolve();
            };
            const plan = capacityPlan({ baseline: { seconds: 3600, metrics, routes: [] } });
            await fails(plan, /^aborted by an operator, for scale-up\./, { sleep });
            assert.equal(waits, 2);
        });

        it("keeps in the history why it failed, until a gate passes, and not of what was completed", async () => {
            blue(2);
            cluster.deployment("green", 0);
            const reason = "mcp-server-green is scaled to 0: it is no target any more";
            await fails(capacityPlan(), `${reason}.`);
            assert.deepEqual(cluster.entries[0]!.failed, { gate: "capacity", at: date, reason });
            await passes(smokePlan(), /answered as planned/);
            assert.equal(cluster.entries[0]!.failed, undefined);
            cluster.ledger({ [app]: JSON.stringify([{ ...former, ...release }]) });
            await fails(capacityPlan(), `${reason}.`);
            assert.equal(cluster.entries[0]!.failed, undefined);
        });

        it("fails at once without the Deployment, or without the right to scale it", async () => {
            await fails(capacityPlan(), `there is no deployment mcp-server-green in ${namespace}.`);
            cluster.deployment("green", 1);
            cluster.denied.add("patch deployments/scale");
            await fails(
                capacityPlan(),
                `the ServiceAccount lacks the right to patch deployments/scale mcp-server-green in ${namespace} ` +
                    "(403: deployments is forbidden: cannot patch).",
            );
        });
    });

    describe("smoke", () => {
        it("asks the first time, and not again once it has passed", async () => {
            cluster.ledger(formerly());
            await passes(smokePlan(), "1 of 1 requests answered as planned.");
            assert.deepEqual(cluster.entries, [former, { ...release, colour: "green", smokeAt: date }]);
            await passes(smokePlan(), `v2.1.0 passed at ${date}: not tested again.`);
            assert.equal(asked, 1);
        });

        it("takes over what was approved of its image, and leaves that to a release of another one", async () => {
            const approval = { ...release, hash: "approval", colour: "green" as const, ticket: "CHG-1" };
            const evidence = { at: "then", approvers: ["change board"] };
            cluster.ledger(formerly({ ...approval, evidence }));
            await passes(smokePlan(), /answered as planned/);
            const tested = { ...approval, ...release, evidence, smokeAt: date };
            assert.deepEqual(cluster.entries, [former, tested]);
            // With another configuration it is tested again, and the approval stays where it is.
            const plan = smokePlan();
            await passes({ ...plan, release: { ...release, hash: "debug" } }, /answered as planned/);
            const debug = { ...release, hash: "debug", colour: "green", smokeAt: date };
            assert.deepEqual(cluster.entries, [former, tested, debug]);
            cluster.ledger(formerly({ ...approval, image: "another", evidence }));
            await passes(plan, /answered as planned/);
            assert.deepEqual(
                cluster.entries.map(({ hash }) => hash),
                [former.hash, "approval", release.hash],
            );
        });

        it("completes the release of an app without colours, with its configuration, and asks each time", async () => {
            cluster.ledger();
            const config = { LOG_LEVEL: "info" };
            const plan = { ...smokePlan(), colour: undefined, release: { ...release, config } };
            await passes(plan, "1 of 1 requests answered as planned; revision 1.");
            const completed: HistoryEntry = {
                ...{ ...release, config, smokeAt: date, revision: 1 },
                completedAt: date,
            };
            assert.deepEqual(cluster.entries, [completed]);
            const other = { ...plan, release: { ...release, hash: "debug", config: {} } };
            await passes(other, /; revision 2\.$/);
            // A rollback is tested again, and keeps its number.
            await passes(plan, /; revision 1\.$/);
            assert.equal(asked, 3);
            assert.deepEqual(
                cluster.entries.map(({ revision }) => revision),
                [2, 1],
            );
            health = 500;
            await fails({ ...other, release: { ...other.release, hash: "bad" } }, /^1 of 1 requests failed/);
            assert.deepEqual(cluster.entries.map(({ failed }) => failed?.gate).at(-1), "smoke");
        });

        it("records no success when it fails, but why", async () => {
            cluster.ledger(formerly());
            health = 500;
            const { lines } = await fails(smokePlan(), "1 of 1 requests failed: GET /health.");
            assert.ok(lines.includes("  ✗ GET /health: expected status 200, found 500 (attempt 1 of 1)"));
            const failed = { gate: "smoke", at: date, reason: "1 of 1 requests failed: GET /health" };
            assert.deepEqual(cluster.entries, [former, { ...release, colour: "green", failed }]);
        });

        it("asks nothing without a ledger, and says how to get one", async () => {
            await fails(
                smokePlan(),
                `the release history, ConfigMap mcp-releases in ${namespace}, is missing: restore it with: pulumi up --refresh.`,
            );
            assert.equal(asked, 0);
        });

        it("takes a garbled ledger for no memory, and keeps its text", async () => {
            cluster.ledger({ [app]: "[{]", other: "[]" });
            const { lines } = await passes(smokePlan(), /answered as planned/);
            assert.equal(
                lines[1],
                "the release history of mcp-server is unreadable: no release counts as known, nor this one as the first; " +
                    "its text is kept as mcp-server.unreadable",
            );
            assert.deepEqual(cluster.data, {
                [app]: JSON.stringify([{ ...release, colour: "green", smokeAt: date }]),
                [`${app}.unreadable`]: "[{]",
                other: "[]",
            });
        });

        it("writes again when somebody else wrote in between", async () => {
            cluster.ledger();
            const other = { ...former, hash: "other" };
            cluster.onRequest = (request, nth) => {
                if (request !== "patch configmaps" || nth > 2) return;
                cluster.ledger({ [app]: JSON.stringify([other]), [`${app}.abort`]: String(nth) });
            };
            await passes(smokePlan(), /answered as planned/);
            assert.deepEqual(
                cluster.entries.map(({ hash }) => hash),
                ["other", release.hash],
            );
            assert.equal(cluster.data[`${app}.abort`], "2");
            assert.equal(cluster.asked("patch configmaps"), 3);
        });

        it("keeps no more than 20 releases", async () => {
            const completed = Array.from({ length: 20 }, (_, n) => ({
                ...former,
                hash: `hash-${n}`,
                revision: n + 1,
            }));
            cluster.ledger({ [app]: JSON.stringify(completed) });
            await passes(smokePlan(), /answered as planned/);
            const hashes = cluster.entries.map(({ hash }) => hash);
            assert.equal(hashes.length, 20);
            assert.deepEqual([hashes[0], hashes[19]], ["hash-1", release.hash]);
        });

        it("fails when it cannot record that it passed", async () => {
            cluster.ledger();
            cluster.denied.add("patch configmaps");
            await fails(smokePlan(), /lacks the right to patch configmaps mcp-releases/);
        });
    });

    describe("soak", () => {
        /** Green is live with two pods, and blue was before. */
        beforeEach(() => {
            cluster.service("green");
            const names = [1, 2].map((n) => {
                cluster.counters.set(cluster.pod("green", n, { restarts: 3 }), {
                    requests: 1000,
                    errors: 900,
                });
                return `${app}-green-${n}`;
            });
            cluster.endpoints(...names);
            cluster.ledger(formerly({ ...release, colour: "green", smokeAt: date }));
        });

        /** Requests and errors at each look, until the soak is over. */
        const traffic = (requests: number, errors: number, until = Infinity) => {
            const former = cluster.onRequest;
            cluster.onRequest = (request, nth) => {
                former(request, nth);
                if (request !== "get services" || nth > until) return;
                for (const counters of cluster.counters.values()) {
                    counters.requests += requests;
                    counters.errors += errors;
                }
            };
        };
        /** Does something at a look, the first of which only checks where traffic goes. */
        const atLook = (look: number, change: () => void) => {
            const former = cluster.onRequest;
            cluster.onRequest = (request, nth) => {
                former(request, nth);
                if (request === "get services" && nth === look + 1) change();
            };
        };

        it("passes when all went well, and records it", async () => {
            traffic(50, 1);
            const { lines } = await passes(
                soakPlan(),
                "10 s with 900 requests, 18 errors (2.00 %); revision 7.",
            );
            assert.deepEqual(lines, [
                `soak ${subject} in ${namespace}`,
                "  no baseline was measured before the switch: only the limits count",
                "  requests without users were not measured: only labels tell them apart",
                "  watching for 10 s",
                "  1 of 10 s: 0 requests, 0 errors (0.00 %), 2 pods ready, no restarts",
                "  4 of 10 s: 300 requests, 6 errors (2.00 %), 2 pods ready, no restarts",
                "  8 of 10 s: 700 requests, 14 errors (2.00 %), 2 pods ready, no restarts",
                "  10 of 10 s: 900 requests, 18 errors (2.00 %), 2 pods ready, no restarts",
                "  not counted: 0 requests by label, 0 that pods get without users (0.00 a second and pod), " +
                    "0 of the gate's own",
            ]);
            assert.deepEqual(cluster.entries, [
                former,
                { ...release, colour: "green", smokeAt: date, completedAt: date, revision: 7 },
            ]);
        });

        it("compares with what was measured before the switch, and subtracts what pods get without users", async () => {
            const baseline = {
                ...{ at: date, colour: "blue", seconds: 60, skipped: [] },
                ...{ requests: 400, errors: 2, p95Seconds: 0.25 },
                background: { podSeconds: 100, requests: 400, errors: 0, buckets: {} },
            };
            cluster.ledger(formerly({ ...release, colour: "green", smokeAt: date, baseline }));
            traffic(50, 1);
            // Eighteen pod-seconds of four requests each.
            const { lines } = await fails(
                soakPlan({ maxErrorIncrease: 1 }),
                "828 requests, 18 errors (2.17 %); at most 1.50 % are allowed, as it was 0.50 % before the switch.",
            );
            assert.equal(
                lines[1],
                "  before the switch: blue had 400 requests in 60 s, 2 errors (0.50 %), p95 250 ms",
            );
            assert.ok(!lines.some((line) => line.includes("not measured")));
        });

        it("says which limits are below the baseline, and takes a release that is better", async () => {
            const baseline = {
                ...{ at: date, colour: "blue", seconds: 60, skipped: [] },
                ...{ requests: 400, errors: 32, p95Seconds: 3 },
            };
            cluster.ledger(formerly({ ...release, colour: "green", smokeAt: date, baseline }));
            traffic(50, 0);
            const plan = soakPlan({ latency: { maxP95Seconds: 2 }, allowNoData: true });
            const { lines } = await passes(plan, /^10 s with/);
            assert.deepEqual(lines.slice(2, 4), [
                "  the limit of 5 % errors is below the baseline, 8.00 %: only a better release passes",
                "  the limit of the p95, 2000 ms, is below the baseline, 3000 ms: only a better release passes",
            ]);
        });

        it("passes at once when the release was completed before", async () => {
            cluster.ledger(formerly({ ...former, hash: release.hash, colour: "green" }));
            cluster.service("blue");
            await passes(soakPlan(), `v2.1.0 was completed at ${former.completedAt}: not tested again.`);
        });

        it("has nothing to compare a first install with, but wants the switch done", async () => {
            cluster.ledger({ [app]: JSON.stringify([{ ...release, colour: "green", smokeAt: date }]) });
            cluster.service("blue");
            await fails(soakPlan(), "Service mcp-server selects version=blue, not green, even after 3 s.");
            cluster.service("green");
            await passes(soakPlan(), "first install: nothing to compare with; revision 1.");
            const note = "first install: nothing to compare with";
            assert.deepEqual(cluster.entries, [
                { ...release, colour: "green", smokeAt: date, completedAt: date, revision: 1, note },
            ]);
        });

        it("does not take a release after a garbled ledger for a first install", async () => {
            cluster.ledger({ [app]: "garbled" });
            await passes(smokePlan(), /answered as planned/);
            traffic(50, 0);
            await passes(soakPlan(), /^10 s with .* revision 1\.$/);
            cluster.ledger({ [app]: "garbled" });
            traffic(50, 0);
            await passes(soakPlan(), /^10 s with .* revision 1\.$/);
            assert.equal(cluster.data[`${app}.unreadable`], "garbled");
        });

        describe("error rate", () => {
            it("fails early when it is more than twice the limit, once there are enough requests", async () => {
                traffic(10, 2);
                await fails(soakPlan(), "100 requests, 20 errors (20.00 %); at most 5 % are allowed.");
                assert.equal(cluster.asked("get services"), 7);
                const reason = "100 requests, 20 errors (20.00 %); at most 5 % are allowed";
                const failed = { gate: "soak", at: date, reason };
                assert.deepEqual(cluster.entries.at(-1), {
                    ...release,
                    colour: "green",
                    smokeAt: date,
                    failed,
                });
            });

            it("fails at the end when it is just above the limit", async () => {
                traffic(100, 6);
                await fails(soakPlan(), /^\d+ requests, \d+ errors \(6\.00 %\); at most 5 % are allowed\.$/);
            });

            it("may recover from twice the limit", async () => {
                traffic(100, 10, 4);
                atLook(4, () => traffic(1000, 0));
                await passes(soakPlan(), /^10 s with/);
            });

            it("may reach the limit", async () => {
                traffic(100, 5);
                await passes(soakPlan(), /\(5\.00 %\)/);
            });

            it("counts over restarted counters and pods that come and go", async () => {
                atLook(3, () => cluster.counters.set("127.0.0.2", { requests: 30, errors: 1 }));
                atLook(4, () => cluster.counters.set(cluster.pod("green", 3), { requests: 70, errors: 2 }));
                atLook(6, () => cluster.remove("pods", `${app}-green-1`));
                atLook(7, () => cluster.counters.set("127.0.0.3", { requests: 1011, errors: 900 }));
                await passes(soakPlan(), "10 s with 111 requests, 3 errors (2.70 %); revision 7.");
            });

            it("passes over a pod that does not show its metrics for a while", async () => {
                traffic(50, 0);
                const hidden = cluster.counters.get("127.0.0.2")!;
                cluster.counters.delete("127.0.0.2");
                atLook(4, () => cluster.counters.set("127.0.0.2", hidden));
                const { lines } = await passes(soakPlan(), /^10 s with \d+ requests, 0 errors/);
                assert.match(
                    lines[4]!,
                    /no metrics of mcp-server-green-1: connection dropped \(UND_ERR_SOCKET\)/,
                );
            });

            it("is inconclusive with too few requests, unless these are allowed", async () => {
                await fails(
                    soakPlan(),
                    "inconclusive, 0 requests, 0 errors (0.00 %); 100 requests are needed.",
                );
                await passes(
                    soakPlan({ allowNoData: true }),
                    "10 s with 0 requests, 0 errors (0.00 %); revision 7.",
                );
            });

            it("fails for many errors among few requests, also where few are allowed", async () => {
                traffic(2, 2, 4);
                await fails(soakPlan({ allowNoData: true }), /^8 requests, 8 errors \(100\.00 %\)/);
            });

            it("says which counter is not there", async () => {
                const requests = { counter: "requests_total", labels: { path: "^/mcp" } };
                await fails(
                    soakPlan({ metrics: { ...podMetrics(), requests } }),
                    /0 errors \(0\.00 %\), no pod has shown requests_total\{path=~"\^\/mcp"\} yet; 100 requests/,
                );
                await fails(
                    soakPlan({ metrics: { ...podMetrics(), path: "/stats" } }),
                    /no metrics of mcp-server-green-1: status 404 \(and 1 more\)/,
                );
            });
        });

        describe("with Prometheus", () => {
            const metrics = () => ({
                prometheus: `http://127.0.0.1:${cluster.metricsPort}/`,
                requests: "sum(increase(requests_total[$WINDOW]))",
                errors: "sum(increase(errors_total[$WINDOW]))",
            });
            const vector = (...values: string[]) => ({
                body: {
                    status: "success",
                    data: {
                        resultType: "vector",
                        result: values.map((value) => ({ metric: {}, value: [0, value] })),
                    },
                },
            });
            /** A number that grows a little with each reading: one that does not is stale. */
            const growing = (value: number) => ({
                get body() {
                    return vector(String((value += 0.01))).body;
                },
            });
            let queries: string[];
            const answers = (requests: object, errors: object) => {
                queries = [];
                cluster.prometheus = (query) => {
                    queries.push(query);
                    return (query.includes("requests") ? requests : errors) as { body: unknown };
                };
            };

            it("takes its numbers for the window", async () => {
                answers(growing(1000), { body: { data: { resultType: "scalar", result: [0, "50"] } } });
                await passes(
                    soakPlan({ metrics: metrics() }),
                    "10 s with 1000 requests, 50 errors (5.00 %); revision 7.",
                );
                assert.deepEqual(
                    queries,
                    [1, 4, 8, 10].flatMap((elapsed) => [
                        `sum(increase(requests_total[${elapsed}s]))`,
                        `sum(increase(errors_total[${elapsed}s]))`,
                    ]),
                );
            });

            it("knows no errors when there is no series of them", async () => {
                answers(growing(100), vector());
                await passes(soakPlan({ metrics: metrics() }), /100 requests, 0 errors/);
            });

            it("fails for a rate above the limit", async () => {
                answers(growing(100), vector("6"));
                await fails(soakPlan({ metrics: metrics() }), /^100 requests, 6 errors \(6\.00 %\)/);
            });

            for (const [name, requests, line] of [
                ["no series", vector(), /Prometheus has no data for the requests; 100 requests are needed/],
                [
                    "no number",
                    vector("NaN"),
                    /Prometheus has no data for the requests; 100 requests are needed/,
                ],
                ["a page", { body: "<html>" }, /Prometheus: an answer that is no number; 100 requests/],
            ] as const) {
                it(`has no data with ${name}`, async () => {
                    answers(requests, vector());
                    await fails(soakPlan({ metrics: metrics() }), line);
                    const allowed = soakPlan({ metrics: metrics(), allowNoData: true });
                    if (name !== "a page") await passes(allowed, /no/);
                    else await fails(allowed, /no number; what is not counted cannot be judged\.$/);
                });
            }

            it("knows nothing when the errors are unknown", async () => {
                answers(vector("1000"), { status: 503, body: "" });
                await fails(
                    soakPlan({ metrics: metrics() }),
                    /^inconclusive, 0 requests, .*: status 503; 100/,
                );
            });

            it("asks three times", async () => {
                answers({ status: 503, body: "" }, vector());
                await fails(
                    soakPlan({ metrics: metrics() }),
                    /inconclusive, .*, Prometheus: status 503; 100/,
                );
                assert.equal(queries.length, 4 * 3);
            });

            it("fails at once over an expression that is none, or gives several numbers", async () => {
                answers({ status: 400, body: { error: "parse error: unclosed" } }, vector());
                await fails(
                    soakPlan({ metrics: metrics() }),
                    "Prometheus cannot evaluate sum(increase(requests_total[$WINDOW])): parse error: unclosed.",
                );
                answers(vector("1"), vector("1", "2"));
                await fails(soakPlan({ metrics: metrics() }), /gives 2 series in Prometheus/);
            });
        });

        describe("pods", () => {
            beforeEach(() => traffic(50, 0));

            it("fails for a container that is restarted", async () => {
                const lastState = { terminated: { reason: "OOMKilled", exitCode: 137 } };
                atLook(3, () => cluster.pod("green", 2, { restarts: 4, lastState }));
                await fails(
                    soakPlan(),
                    "container server of mcp-server-green-2 was restarted after OOMKilled (exit code 137).",
                );
            });

            it("fails for a new pod that has restarted", async () => {
                atLook(3, () => cluster.pod("green", 3, { restarts: 1 }));
                await fails(soakPlan(), "container server of mcp-server-green-3 was restarted.");
            });

            it("fails when too few are ready for two minutes, and waits for them at the end", async () => {
                const unready = () => cluster.pod("green", 2, { restarts: 3, ready: false });
                atLook(3, unready);
                atLook(4, () => cluster.pod("green", 2, { restarts: 3 }));
                atLook(6, unready);
                await fails(
                    soakPlan({ durationSeconds: 100, deadlineSeconds: 200 }),
                    "ready pods: 1, needed: 2; mcp-server-green-2 server is not ready, for 120 s.",
                    // Ten seconds pass with each look.
                    { now: () => 10_000 * cluster.asked("get services") },
                );
                assert.equal(cluster.asked("get services"), 19);
            });

            it("lets the autoscaler take away what is more than the minimum", async () => {
                cluster.pod("green", 3);
                atLook(3, () => cluster.remove("pods", `${app}-green-3`));
                await passes(soakPlan(), /^10 s with/);
            });
        });

        describe("traffic", () => {
            const wrongWay = (line: string) => fails(soakPlan(), line);

            it("must go to the colour before anything is watched", async () => {
                cluster.service(undefined);
                await wrongWay("Service mcp-server selects no version, not green, even after 3 s.");
                cluster.remove("services", app);
                await wrongWay(`there is no service mcp-server in ${namespace}.`);
            });

            it("must have endpoints, of ready pods of the colour alone", async () => {
                cluster.endpoints();
                await wrongWay("Service mcp-server has no endpoints, even after 3 s.");
                cluster.remove("endpointslices", `${app}-1`);
                await wrongWay("Service mcp-server has no endpoints, even after 3 s.");
                cluster.pod("blue", 5);
                cluster.endpoints(`${app}-green-1`, `${app}-blue-5`);
                await wrongWay(
                    "Service mcp-server holds mcp-server-blue-5, no ready pod of green, even after 3 s.",
                );
                cluster.endpoints(`${app}-green-1`, `${app}-green-2`);
                cluster.pod("green", 2, { ready: false });
                await wrongWay(
                    "Service mcp-server holds mcp-server-green-2, no ready pod of green, even after 3 s.",
                );
            });

            it("may take a while to get there", async () => {
                traffic(50, 0);
                cluster.service("blue");
                cluster.onRequest = ((former) => (request, nth) => {
                    former(request, nth);
                    if (request === "get services" && nth === 3) cluster.service("green");
                })(cluster.onRequest);
                const { lines } = await passes(soakPlan(), /^10 s with/);
                assert.equal(
                    lines[1],
                    "  Service mcp-server selects version=blue, not green: waiting for up to 3 s",
                );
                assert.equal(lines[4], "  watching for 10 s");
            });

            it("may still hold pods that are on their way out", async () => {
                traffic(50, 0);
                const endpoint = (name: string, conditions: object) => ({ conditions, targetRef: { name } });
                cluster.put(
                    "endpointslices",
                    `${app}-1`,
                    {
                        endpoints: [
                            endpoint(`${app}-green-1`, { ready: true }),
                            endpoint(`${app}-green-9`, { ready: false, terminating: true }),
                        ],
                    },
                    { "kubernetes.io/service-name": app },
                );
                await passes(soakPlan(), /^10 s with/);
            });

            it("must not be turned away meanwhile", async () => {
                traffic(50, 0);
                atLook(3, () => cluster.service("blue"));
                await fails(soakPlan(), "Service mcp-server selects version=blue, not green any more.");
            });
        });

        describe("behind an ALB", () => {
            /** What the program writes, with these weights. */
            const weights = (blue: number, green: number) =>
                cluster.put("ingresses", "mcp-ingress", {
                    metadata: {
                        annotations: {
                            [`alb.ingress.kubernetes.io/actions.${app}`]: JSON.stringify({
                                type: "forward",
                                forwardConfig: {
                                    targetGroups: [
                                        { serviceName: `${app}-blue`, servicePort: "http", weight: blue },
                                        { serviceName: `${app}-green`, servicePort: "http", weight: green },
                                    ],
                                },
                            }),
                        },
                    },
                });
            const byWeights = () => soakPlan({ ingress: "mcp-ingress" });
            const goes = (services: string) =>
                `Ingress mcp-ingress sends the traffic to ${services}, not to mcp-server-green`;

            it("passes when the weights have moved the traffic, too", async () => {
                traffic(50, 0);
                weights(0, 100);
                await passes(byWeights(), /^10 s with/);
            });

            it("wants all of the weight on the colour, before anything is watched", async () => {
                weights(100, 0);
                await fails(byWeights(), `${goes("mcp-server-blue")}, even after 3 s.`);
                weights(50, 50);
                await fails(byWeights(), `${goes("mcp-server-blue and mcp-server-green")}, even after 3 s.`);
                cluster.put("ingresses", "mcp-ingress", {});
                await fails(byWeights(), `${goes("no Service")}, even after 3 s.`);
            });

            it("fails when the weights are turned back meanwhile", async () => {
                traffic(50, 0);
                weights(0, 100);
                atLook(3, () => weights(100, 0));
                await fails(byWeights(), `${goes("mcp-server-blue")} any more.`);
            });

            const stays = (seconds: number) =>
                `  the old colour stays for ${seconds} s more: the load balancer follows the switch with a delay`;

            it("leaves it the time to follow the switch, even to a release that is known", async () => {
                cluster.ledger(formerly({ ...former, hash: release.hash, colour: "green" }));
                const { lines } = await passes(soakPlan({ lingerSeconds: 0.01 }), /not tested again\.$/);
                assert.deepEqual(lines.slice(1), [stays(1)]);
                const plan = soakPlan({ deadlineSeconds: 0.2, durationSeconds: 0.1, lingerSeconds: 60 });
                await fails(plan, "the deadline of 0.2 s passed.");
            });

            it("needs no more time than the soak takes, and none for a first install", async () => {
                traffic(50, 0);
                const { lines } = await passes(soakPlan({ lingerSeconds: 5 }), /^10 s with/);
                assert.ok(lines.every((line) => !line.includes("the old colour stays")));
                cluster.ledger({ [app]: JSON.stringify([{ ...release, colour: "green", smokeAt: date }]) });
                assert.deepEqual(
                    (await passes(soakPlan({ lingerSeconds: 60 }), /^first install/)).lines.slice(1),
                    [],
                );
            });
        });

        describe("abort", () => {
            for (const value of [release.version, `${release.hash}\n`, `${release.version} INC-7 by alice`]) {
                it(`stops the release ${JSON.stringify(value)}`, async () => {
                    traffic(50, 0);
                    atLook(3, () => cluster.ledger({ ...cluster.data, [`${app}.abort`]: value }));
                    await fails(
                        soakPlan(),
                        `aborted by an operator${value.includes("INC-7") ? ", INC-7 by alice" : ""}. ` +
                            "To try this release again, first: kubectl patch configmap mcp-releases " +
                            `-n ${namespace} --type merge -p '{"data":{"mcp-server.abort":null}}'.`,
                    );
                });
            }

            it("of another release means nothing", async () => {
                traffic(50, 0);
                cluster.ledger({ ...cluster.data, [`${app}.abort`]: former.version });
                await passes(soakPlan(), /^10 s with/);
            });
        });

        describe("API server", () => {
            for (const failing of [503, 429, "dropped"] as const) {
                it(`may be away for a while: ${failing}`, async () => {
                    traffic(50, 0);
                    atLook(3, () => {
                        cluster.failing = failing;
                        setTimeout(() => (cluster.failing = undefined), 60);
                    });
                    const { lines } = await passes(soakPlan(), /^10 s with/);
                    const away = lines.findIndex((line) =>
                        line.startsWith("the API server does not answer: "),
                    );
                    assert.match(
                        lines[away]!,
                        /: (503: injected 503|429: injected 429|connection dropped \(ECONNRESET\)); /,
                    );
                    assert.ok(lines[away]!.endsWith("; asked again for 0.3 s"));
                    assert.ok(lines.includes("the API server answers again"));
                });
            }

            it("must come back", async () => {
                traffic(50, 0);
                atLook(3, () => (cluster.failing = 500));
                await fails(soakPlan(), "the API server has not answered for 0.3 s: 500: injected 500.");
            });

            for (const [request, words] of [
                ["get services", "get services mcp-server"],
                ["list pods", "list pods"],
                ["list endpointslices", "list endpointslices"],
                ["get configmaps", "get configmaps mcp-releases"],
                ["patch configmaps", "patch configmaps mcp-releases"],
            ] as const) {
                it(`must allow to ${request}`, async () => {
                    traffic(100, 0);
                    cluster.denied.add(request);
                    const { line } = await fails(soakPlan(), /lacks the right/);
                    assert.ok(
                        line.startsWith(
                            `the ServiceAccount lacks the right to ${words} in ${namespace} (403: `,
                        ),
                        line,
                    );
                });
            }

            it("must accept the token, and be the one the CA vouches for", async () => {
                cluster.failing = 401;
                await fails(soakPlan(), /does not accept the ServiceAccount's token \(401: injected 401\)/);
                const server = { host: "localhost", port: cluster.port, ca: "" };
                const stranger = new Kubernetes({
                    server,
                    token: () => "t0ken",
                    namespace,
                    log: () => undefined,
                });
                await fails(soakPlan(), /^the API server cannot be asked: TLS failure/, {
                    cluster: stranger,
                });
            });

            it("is nowhere outside of a pod", async () => {
                await fails(soakPlan(), /^KUBERNETES_SERVICE_HOST is not set/, { cluster: undefined });
            });
        });

        it("fails at its deadline", async () => {
            traffic(50, 0);
            await fails(
                soakPlan({ deadlineSeconds: 0.2, durationSeconds: 0.1 }),
                "the deadline of 0.2 s passed.",
                { now: () => 0 },
            );
        });
    });

    describe("as a program", () => {
        let program: string;
        let lastWords: string;
        let plans = 0;

        before(() => {
            lastWords = join(folder, "termination-log");
            writeFileSync(lastWords, "");
            const account = "/var/run/secrets/kubernetes.io/serviceaccount";
            const bundle = bundledJob("release");
            assert.ok(bundle.includes(`"${account}"`));
            program = join(folder, "release.js");
            writeFileSync(
                program,
                bundle.replaceAll("/dev/termination-log", lastWords).replaceAll(account, folder),
            );
        });

        async function run(plan: unknown, watch?: Watch) {
            const path = join(folder, `plan-${(plans += 1)}.json`);
            writeFileSync(path, JSON.stringify(plan));
            const env = {
                KUBERNETES_SERVICE_HOST: "127.0.0.1",
                KUBERNETES_SERVICE_PORT: String(cluster.port),
            };
            const { code, lines, err } = await runProgram([program, path], { env, watch });
            return { code, lines, err, line: lines.at(-1)!, said: readFileSync(lastWords, "utf8"), path };
        }

        it("imports nothing but Node's own modules", () => {
            const imports = [...readFileSync(program, "utf8").matchAll(/require\("([^"]+)"\)/g)];
            assert.ok(imports.length > 0);
            assert.ok(imports.every(([, name]) => name!.startsWith("node:")));
        });

        it("checks the capacity", async () => {
            cluster.ledger();
            cluster.deployment("green", 2);
            const good = await run(capacityPlan());
            assert.deepEqual(good, {
                code: 0,
                lines: [
                    `capacity ${subject} in ${namespace}`,
                    `PASSED ${subject}: ready pods: 2, needed: 2.`,
                ],
                err: "",
                line: good.said,
                said: good.line,
                path: good.path,
            });
            cluster.remove("deployments", "mcp-server-green");
            const bad = await run(capacityPlan());
            assert.equal(bad.code, 1);
            assert.equal(
                bad.said,
                `FAILED ${subject}: there is no deployment mcp-server-green in ${namespace}.`,
            );
        });

        it("runs the smoke tests", async () => {
            cluster.ledger();
            health = 500;
            const bad = await run(smokePlan());
            assert.equal(bad.code, 1);
            assert.equal(bad.line, `FAILED ${subject}: 1 of 1 requests failed: GET /health.`);
            health = 200;
            const good = await run(smokePlan());
            assert.equal(good.code, 0, good.line);
            assert.ok(Math.abs(Date.parse(cluster.entries[0]!.smokeAt!) - Date.now()) < 10_000);
        });

        describe("soaks", () => {
            beforeEach(() => {
                cluster.ledger(formerly());
                cluster.autoscaler("green", 1, 4);
                cluster.service("green");
                cluster.counters.set(cluster.pod("green", 1), { requests: 0, errors: 0 });
                cluster.endpoints(`${app}-green-1`);
            });
            const plan = (more?: Partial<SoakPlan>) => soakPlan({ durationSeconds: 0.3, ...more });

            it("and passes or fails", async () => {
                cluster.onRequest = (request) => {
                    if (request === "get services") cluster.counters.get("127.0.0.2")!.requests += 200;
                };
                const good = await run(plan());
                assert.equal(good.code, 0, good.line);
                assert.match(good.line, /: 0\.3 s with [24]00 requests, 0 errors \(0\.00 %\); revision 7\.$/);
                cluster.ledger(formerly());
                cluster.onRequest = () => {};
                const bad = await run(plan());
                assert.equal(bad.code, 1);
                assert.match(bad.line, /: inconclusive, 0 requests/);
            });

            it("and says so when it is stopped", async () => {
                const { code, lines, said } = await run(plan({ durationSeconds: 4 }), (child, out) => {
                    if (out.includes("0 of 4 s")) child.kill("SIGTERM");
                });
                assert.equal(code, 1);
                assert.deepEqual(lines.slice(-2), [
                    "stopped by SIGTERM",
                    `FAILED ${subject}: stopped by SIGTERM.`,
                ]);
                assert.equal(said, lines.at(-1));
                assert.deepEqual(cluster.entries, [former]);
            });
        });

        it("refuses an unusable plan", async () => {
            const { code, err, path } = await run({ ...capacityPlan(), deadlineSeconds: 0 });
            assert.equal(code, 2);
            assert.match(err, new RegExp(`^unusable plan ${path}: deadlineSeconds: found 0, expected `));
        });
    });

    describe("unusable plans", () => {
        const cases: [content: () => unknown, message: string][] = [
            [() => [], "the plan: found an empty list, expected an object"],
            [() => ({}), "gate: found nothing, expected capacity or smoke or soak"],
            [
                () => ({ ...capacityPlan(), gate: "wait" }),
                'gate: found "wait", expected capacity or smoke or soak',
            ],
            [() => ({ ...capacityPlan(), colour: "red" }), 'colour: found "red", expected blue or green'],
            [
                () => ({ ...capacityPlan(), app: "a/b" }),
                'app: found "a/b", expected a name of a Kubernetes object',
            ],
            [
                () => ({ ...capacityPlan(), release: { ...release, hash: "" } }),
                'release.hash: found "", expected a text',
            ],
            [
                () => ({
                    ...smokePlan(),
                    smoke: {
                        ...smokePlan().smoke,
                        requests: [{ ...smokePlan().smoke.requests[0], name: "", method: 1 }],
                    },
                }),
                'smoke.requests[0].name: found "", expected a text; ' +
                    "smoke.requests[0].method: found 1, expected an HTTP method in capitals",
            ],
            [() => ({ ...smokePlan(), smoke: undefined }), "smoke: found nothing, expected an object"],
            [
                () => soakPlan({ durationSeconds: 20 }),
                "deadlineSeconds: found 20, expected more than durationSeconds (20)",
            ],
            [
                () => soakPlan({ maxErrorPercent: 101 }),
                "maxErrorPercent: found 101, expected a number from 0 to 100",
            ],
            [
                () => ({ ...soakPlan(), allowNoData: "yes" }),
                'allowNoData: found "yes", expected true or false',
            ],
            [
                () =>
                    soakPlan({
                        metrics: { ...podMetrics(), errors: { counter: "a", labels: { status: "(" } } },
                    }),
                'metrics.errors.labels.status: found "(", expected a regular expression',
            ],
            [
                () => soakPlan({ metrics: { prometheus: "prometheus:9090", requests: "a", errors: "b" } }),
                'metrics.prometheus: found "prometheus:9090", expected a base URL such as http://prometheus:9090',
            ],
            [
                () => ({ ...soakPlan(), metrics: { prometheus: "http://a", path: "/" } }),
                "metrics: found an object, expected metrics of Prometheus or of the pods",
            ],
        ];
        for (const [index, [content, message]] of cases.entries()) {
            it(`${index + 1}: ${message}`, () => {
                assert.throws(() => parseReleasePlan(JSON.parse(JSON.stringify(content()))), { message });
            });
        }
    });
});
