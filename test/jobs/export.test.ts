import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { EXPORTED, type ExportPlan, parseExportPlan, runExport } from "../../jobs/export";
import { FakeCluster, namespace } from "./releaseCluster";

const PLAN: ExportPlan = { namespace, file: "configurations.json.gz", deadlineSeconds: 20 };

describe("the export of the configurations", () => {
    const cluster = new FakeCluster();
    let folder: string;
    let account: string;
    const output: string[] = [];

    before(async () => {
        account = mkdtempSync(join(tmpdir(), "mcp-export-account-"));
        await cluster.start(account);
    });
    after(() => {
        cluster.stop();
        rmSync(account, { recursive: true });
    });
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "mcp-export-"));
        cluster.reset();
        output.length = 0;
        for (const resource of Object.keys(EXPORTED)) {
            cluster.put(resource, `one-of-${resource}`, { spec: {} });
        }
        cluster.put("secrets", "mcp-db-secret", { data: { url: "planted" } });
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    function run(plan: Partial<ExportPlan> = {}, signal = new AbortController().signal) {
        const client = cluster.client((line) => output.push(line));
        const whole = parseExportPlan(JSON.parse(JSON.stringify({ ...PLAN, ...plan })));
        return runExport(whole, {
            cluster: client,
            folder,
            signal,
            log: (line) => output.push(line),
        });
    }

    const exported = () => JSON.parse(gunzipSync(readFileSync(join(folder, PLAN.file))).toString());

    it("holds every kind that is declared, and no Secret", async () => {
        const { passed, line } = await run();
        assert.ok(passed, line);
        const { apiVersion, kind, items } = exported();
        assert.deepEqual([apiVersion, kind], ["v1", "List"]);
        assert.deepEqual(
            items.map((item: { apiVersion: string; kind: string }) => `${item.apiVersion} ${item.kind}`),
            [
                "v1 ConfigMap",
                "batch/v1 CronJob",
                "apps/v1 Deployment",
                "autoscaling/v2 HorizontalPodAutoscaler",
                "networking.k8s.io/v1 Ingress",
                "networking.k8s.io/v1 NetworkPolicy",
                "policy/v1 PodDisruptionBudget",
                "v1 ResourceQuota",
                "rbac.authorization.k8s.io/v1 RoleBinding",
                "rbac.authorization.k8s.io/v1 Role",
                "v1 ServiceAccount",
                "v1 Service",
            ],
        );
        assert.equal(cluster.asked("list secrets"), 0);
        assert.ok(!gunzipSync(readFileSync(join(folder, PLAN.file))).includes("planted"));
    });

    it("leaves out what the server added, and nothing else", async () => {
        cluster.put("deployments", "chat-ui", {
            metadata: {
                annotations: {
                    "deployment.kubernetes.io/revision": "7",
                    "kubectl.kubernetes.io/last-applied-configuration": "{}",
                    "mcp.msil.com/own": "kept",
                },
                creationTimestamp: "2026-01-01T00:00:00Z",
                managedFields: [{ manager: "pulumi" }],
                finalizers: ["kept"],
            },
            spec: { replicas: 2, template: { metadata: { annotations: {} } } },
            status: { replicas: 2 },
        });
        assert.ok((await run()).passed);
        const found = exported().items.find(
            ({ metadata }: { metadata: { name: string } }) => metadata.name === "chat-ui",
        );
        assert.deepEqual(found, {
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata: {
                annotations: { "mcp.msil.com/own": "kept" },
                finalizers: ["kept"],
                labels: {},
                name: "chat-ui",
            },
            spec: { replicas: 2, template: { metadata: { annotations: {} } } },
        });
    });

    it("is the same for the same objects, in whatever order the server has them, with its checksum beside it", async () => {
        cluster.put("configmaps", "b", { data: { b: "2", a: "1" } });
        cluster.put("configmaps", "a", { data: {} });
        await run();
        const first = readFileSync(join(folder, PLAN.file));
        const sha256 = createHash("sha256").update(first).digest("hex");
        assert.equal(readFileSync(join(folder, `${PLAN.file}.sha256`), "utf8"), `${sha256}  ${PLAN.file}\n`);
        for (const name of ["a", "b", "one-of-configmaps"]) {
            cluster.remove("configmaps", name);
        }
        cluster.put("configmaps", "one-of-configmaps", { spec: {} });
        cluster.put("configmaps", "a", { data: {} });
        cluster.put("configmaps", "b", { data: { a: "1", b: "2" } });
        const { line } = await run();
        assert.deepEqual(readFileSync(join(folder, PLAN.file)), first);
        assert.equal(line, `EXPORTED ${namespace}: 14 objects in ${first.length} bytes, sha256 ${sha256}.`);
    });

    const refused: [what: string, prepare: () => void, message: RegExp][] = [
        [
            "a kind it may not list",
            () => void cluster.denied.add("list services"),
            /^FAILED mcp-production: .*services.*forbidden/,
        ],
        [
            "an API server that does not answer",
            () => void (cluster.failing = "dropped"),
            /^FAILED mcp-production: the API server has not answered for 0\.3 s/,
        ],
        [
            "a namespace without Deployments",
            () => cluster.remove("deployments", "one-of-deployments"),
            /^FAILED mcp-production: no Deployment was found/,
        ],
        [
            // The rename at the end finds something that it cannot replace.
            "a disk that does not take it",
            () => mkdirSync(join(folder, PLAN.file)),
            /^FAILED mcp-production: .*EISDIR/,
        ],
    ];
    for (const [what, prepare, message] of refused) {
        it(`fails over ${what}, and leaves nothing half-written`, async () => {
            prepare();
            const { passed, line } = await run();
            assert.equal(passed, false);
            assert.match(line, message);
            assert.deepEqual(
                readdirSync(folder).filter((name) => name !== PLAN.file),
                [],
            );
        });
    }

    it("gives up when it is terminated", async () => {
        const stop = new AbortController();
        cluster.onRequest = () => stop.abort(new Error("stopped by SIGTERM"));
        const { passed, line } = await run({}, stop.signal);
        assert.equal(passed, false);
        assert.equal(line, "FAILED mcp-production: stopped by SIGTERM.");
    });

    it("refuses a plan whose file is somewhere else", () => {
        assert.throws(() => parseExportPlan({ ...PLAN, file: "../x.gz" }), /file: found "\.\.\/x\.gz"/);
    });
});
