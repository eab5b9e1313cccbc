import * as assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMPLETED_KEY, type ApprovalPlan, parseApprovalPlan, runApproval } from "../../jobs/evidence";
import { type HistoryEntry } from "../../jobs/lib/releaseHistory";
import { date, evidencePlan } from "./evidencePlan";
import { app, FakeCluster, namespace } from "./releaseCluster";

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const {
    release,
    change,
    validation: { stack },
    dashboard,
} = evidencePlan;

describe("the evidence gate", function () {
    this.timeout(10_000);

    const cluster = new FakeCluster();
    let folder: string;

    before(async () => {
        folder = mkdtempSync(join(tmpdir(), "evidence-gate-"));
        await cluster.start(folder);
    });
    beforeEach(() => {
        cluster.reset();
        cluster.ledger();
        // Another registry: an image is its digest.
        completed({ [app]: `staging/msil-mcp-server:v2.1.0@${digest("a")}` });
    });
    after(() => {
        cluster.stop();
        rmSync(folder, { recursive: true });
    });

    function completed(images: object): void {
        cluster.put("configmaps", "mcp-validated", { data: { [COMPLETED_KEY]: JSON.stringify(images) } });
    }

    async function verdict(more: Partial<ApprovalPlan> = {}): Promise<string> {
        const log = () => undefined;
        const client = cluster.client(log);
        const plan = parseApprovalPlan(JSON.parse(JSON.stringify({ ...evidencePlan, ...more })));
        const { passed, line } = await runApproval(plan, {
            log,
            signal: new AbortController().signal,
            cluster: client,
            date: () => new Date(date),
        });
        assert.equal(line.startsWith("PASSED "), passed);
        return line.replace(`${evidencePlan.subject}: `, "");
    }

    it("keeps what a release brings in the ledger", async () => {
        assert.equal(await verdict(), "PASSED approved by change board, platform lead.");
        assert.deepEqual(cluster.entries, [
            {
                ...release,
                colour: "green",
                ticket: "CHG-1042",
                evidence: {
                    at: date,
                    approvers: change.approvers,
                    rollbackPlan: "live: blue",
                    dashboard,
                    validatedBy: stack,
                },
            },
        ]);
    });

    it("asks for the record and for the other stack's digest, all at once", async () => {
        completed({ [app]: `staging/msil-mcp-server:v2.2.0@${digest("b")}` });
        assert.equal(
            await verdict({ change: { ...change, version: "v2.0.3" } }),
            "FAILED its change record is of v2.0.3, not of v2.1.0; " +
                `${stack} has completed staging/msil-mcp-server:v2.2.0@${digest("b")}, not ${digest("a")}.`,
        );
        assert.match(
            await verdict({ change: undefined }),
            /^FAILED it has no change record: .*; organization/,
        );
        assert.deepEqual(cluster.entries, []);
    });

    for (const [what, images, found] of [
        ["knows nothing of the app", {}, "nothing of mcp-server"],
        ["has what every object has", { toString: "x" }, "nothing of mcp-server"],
        [
            "runs a tag that is not pinned",
            { [app]: "staging/msil-mcp-server:v2.1.0" },
            "staging/msil-mcp-server:v2.1.0",
        ],
    ] as const) {
        it(`refuses an image where the other stack ${what}`, async () => {
            completed(images);
            assert.equal(await verdict(), `FAILED ${stack} has completed ${found}, not ${digest("a")}.`);
        });
    }

    it("refuses an image that is not pinned, whatever the other stack has", async () => {
        completed({ [app]: "registry/msil-mcp-server:v2.1.0" });
        const unpinned = { ...release, image: "registry/msil-mcp-server:v2.1.0" };
        assert.match(await verdict({ release: unpinned }), /^FAILED organization/);
    });

    it("does without the other stack for a reason, which it keeps", async () => {
        completed({});
        assert.match(
            await verdict({ change: { ...change, unvalidated: "staging is down" } }),
            /^PASSED approved/,
        );
        assert.equal(cluster.entries[0]!.evidence!.unvalidated, "staging is down");
        cluster.ledger();
        assert.match(
            await verdict({ validation: { unvalidated: "there is no staging" } }),
            /^PASSED approved/,
        );
        assert.equal(cluster.entries[0]!.evidence!.unvalidated, "there is no staging");
    });

    it("is skipped for a reason, which it keeps, but not by another release's", async () => {
        completed({});
        const skip = { version: "v2.1.0", skip: "outage INC-7" };
        assert.equal(await verdict({ change: skip }), "PASSED skipped: outage INC-7.");
        assert.deepEqual(cluster.entries[0]!.evidence, { at: date, skipped: "outage INC-7", dashboard });
        cluster.ledger();
        assert.match(
            await verdict({ change: { ...skip, version: "v2.0.3" } }),
            /^FAILED its change record is of/,
        );
    });

    it("is not skipped by a reason that another version has used up", async () => {
        const skip = (version: string) => ({ version, skip: "first installation" });
        const first = { hash: "4d3c2b1a", version: "v2.0.3", image: "registry/msil-mcp-server:v2.0.3" };
        await verdict({ release: first, change: skip("v2.0.3") });
        const used = 'FAILED its reason to skip, "first installation", is that of v2.0.3, and not its own.';
        assert.equal(await verdict({ change: skip("v2.1.0") }), used);
        assert.equal(cluster.entries.length, 1);
        // What it was given for may use it again, as after another push of its tag.
        const again = { ...first, hash: "5e4d3c2b", image: `${first.image}@${digest("c")}` };
        assert.match(await verdict({ release: again, change: skip("v2.0.3") }), /^PASSED skipped/);
        assert.match(
            await verdict({ change: { version: "v2.1.0", skip: "outage INC-7" } }),
            /^PASSED skipped: outage INC-7/,
        );
    });

    it("asks nothing of an image that it let pass, whatever it is configured with and wherever staging is", async () => {
        await verdict();
        completed({ [app]: `staging/msil-mcp-server:v2.2.0@${digest("b")}` });
        const known = `PASSED v2.1.0 is known since ${date}: not checked again.`;
        const nothing = { change: undefined };
        assert.equal(await verdict(nothing), known);
        // As a release's gates leave it, and in the old form in which entries did not distinguish images from
        // configurations.
        for (const tested of [{ smokeAt: "then" }, {}]) {
            const [entry] = cluster.entries;
            cluster.ledger({ [app]: JSON.stringify([{ ...entry, hash: "4d3c2b1a", ...tested }]) });
            assert.equal(await verdict(nothing), known);
        }
        for (const other of [
            { image: `registry/msil-mcp-server:v2.1.0@${digest("b")}` },
            { version: "v2.1.1" },
        ]) {
            assert.match(await verdict({ ...nothing, release: { ...release, ...other } }), /^FAILED/);
        }
    });

    it("asks nothing of a release that it let pass, or that was completed before there was a checklist", async () => {
        await verdict();
        const nothing = { change: undefined };
        assert.equal(await verdict(nothing), `PASSED v2.1.0 is known since ${date}: not checked again.`);
        const entry: HistoryEntry = { ...release, colour: "green", smokeAt: "before" };
        cluster.ledger({ [app]: JSON.stringify([{ ...entry, revision: 1, completedAt: "long ago" }]) });
        assert.equal(await verdict(nothing), "PASSED v2.1.0 is known since long ago: not checked again.");
        // One that failed its gates has not been approved by that.
        cluster.ledger({ [app]: JSON.stringify([entry]) });
        assert.match(await verdict(nothing), /^FAILED/);
    });

    it("adds to what the ledger knows of a release", async () => {
        const entry: HistoryEntry = { ...release, colour: "green", smokeAt: "before" };
        cluster.ledger({ [app]: JSON.stringify([entry]) });
        await verdict();
        assert.equal(cluster.entries.length, 1);
        assert.equal(cluster.entries[0]!.smokeAt, "before");
    });

    it("serves an app without colours", async () => {
        assert.match(await verdict({ colour: undefined }), /^PASSED/);
        assert.ok(!("colour" in cluster.entries[0]!));
        assert.match(await verdict({ colour: undefined, change: undefined }), /^PASSED v2\.1\.0 is known/);
    });

    it("says what is gone, and how it comes back", async () => {
        const back = "restore it with: pulumi up --refresh.";
        cluster.remove("configmaps", "mcp-validated");
        const other = "FAILED ConfigMap mcp-validated, with what the other stack has completed, is";
        assert.equal(await verdict(), `${other} missing: ${back}`);
        cluster.put("configmaps", "mcp-validated", { data: { [COMPLETED_KEY]: "{" } });
        assert.equal(await verdict(), `${other} corrupt: ${back}`);
        cluster.remove("configmaps", "mcp-releases");
        assert.equal(
            await verdict(),
            `FAILED the release history, ConfigMap mcp-releases in ${namespace}, is missing: ${back}`,
        );
    });

    it("refuses a release that its author approves, and keeps an author who does not", async () => {
        const author = "Change Board <board@example.com>";
        const refused = await verdict({ change: { ...change, author } });
        assert.equal(refused, `FAILED its approver change board is its author, ${author}.`);
        assert.deepEqual(cluster.entries, []);
        await verdict({ change: { ...change, author: "Asha Rao" } });
        const [entry] = cluster.entries as HistoryEntry[];
        assert.equal(entry?.evidence?.author, "Asha Rao");
    });

    it("refuses a plan it cannot work with", () => {
        const refuses = (plan: object, message: string) =>
            assert.throws(() => parseApprovalPlan(plan), { message });
        refuses(
            { ...evidencePlan, change: { ...change, approvers: [] } },
            "change.approvers: found an empty list, expected a list of at least one",
        );
        refuses(
            { ...evidencePlan, validation: {} },
            "validation: found an object, expected stack and configMap, or unvalidated",
        );
    });
});
