import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandsFor, commit, dueCommit, isUncommitted } from "../../cli/runbook/commit";
import { givenEdits } from "../../cli/runbook/edits";
import { UsageError, valuesOf } from "../../offline/stackFile";
import { catalogue } from "../../runbook/catalogue";
import { root } from "../support";

/** What a procedure sets in production when it is given these values, at no terminal. */
function edits(id: string, given: Record<string, string>, tried: string[] = []): Promise<string[]> {
    const procedure = catalogue.find((each) => each.id === id)!;
    return givenEdits(procedure, valuesOf(root, "production", { edits: tried }), given, undefined);
}

const RECORD = { ticket: "CHG-2041", approver: "ops-board, data-board", rollbackPlan: "roll back to blue" };
const GREEN = "mcp:workloads.mcp-server.live=green";

describe("a release in one command", () => {
    it("sets version and record on the inactive colour, and gives it the traffic", async () => {
        const path = "mcp:workloads.mcp-server.releases.green";
        assert.deepEqual(await edits("blue-green-release", { version: "v2.2.0", ...RECORD }), [
            `${path}.change-`,
            `${path}.version=v2.2.0`,
            `${path}.change.version=v2.2.0`,
            `${path}.change.ticket=CHG-2041`,
            `${path}.change.approvers[]=ops-board`,
            `${path}.change.approvers[]=data-board`,
            `${path}.change.rollbackPlan=roll back to blue`,
            GREEN,
        ]);
    });

    it("finds the inactive colour where green is active", async () => {
        const found = await edits("blue-green-release", { version: "v2.2.0", ...RECORD }, [GREEN]);
        assert.ok(found.includes("mcp:workloads.mcp-server.releases.blue.version=v2.2.0"), found.join("\n"));
        assert.equal(found.at(-1), "mcp:workloads.mcp-server.live=blue");
        assert.deepEqual(await edits("blue-green-rollback", {}, [GREEN]), [
            "mcp:workloads.mcp-server.live=blue",
        ]);
    });

    it("resumes with the colour of the stack file", async () => {
        const procedure = catalogue.find(({ id }) => id === "blue-green-release")!;
        const values = valuesOf(root, "production", { edits: [GREEN] });
        for (const given of [{}, { live: "green" }] as Record<string, string>[]) {
            assert.deepEqual(await givenEdits(procedure, values, given, undefined, true), [GREEN]);
        }
    });

    it("names the author in the record", async () => {
        const found = await edits("blue-green-release", { version: "v2.2.0", author: "Asha Rao", ...RECORD });
        assert.ok(found.includes("mcp:workloads.mcp-server.releases.green.change.author=Asha Rao"));
    });

    it("keeps release and record of the stack file where no version is given", async () => {
        assert.deepEqual(await edits("blue-green-release", {}), [GREEN]);
    });

    it("needs the record with a version that the stack file does not have", async () => {
        await assert.rejects(edits("blue-green-release", { version: "v2.2.0", ticket: "CHG-2041" }), {
            message: /^--approver: found nothing, [^\n]*\n--rollback-plan: found nothing, [^\n]*$/,
        });
        assert.ok((await edits("blue-green-release", { version: "v2.1.0" })).includes(GREEN));
    });

    it("asks for the record at a terminal", async () => {
        const procedure = catalogue.find(({ id }) => id === "blue-green-release")!;
        const asked: string[] = [];
        const ask = (question: string) => {
            asked.push(question);
            return Promise.resolve("text");
        };
        await givenEdits(procedure, valuesOf(root, "production"), { version: "v2.2.0" }, ask);
        assert.equal(asked.length, 3);
        assert.match(asked[0]!, /^the change request \(such as CHG-2041\): $/);
    });

    it("warns of a target that is newer than the active release", () => {
        const { warns } = catalogue.find(({ id }) => id === "blue-green-rollback")!;
        const values = valuesOf(root, "production");
        assert.deepEqual(warns!(values, { live: "blue" }), []);
        assert.match(
            warns!(values, { live: "green" }).join(),
            /^green is v2\.1\.0, which is newer than v2\.0\.3 /,
        );
        const later = valuesOf(root, "production", { edits: [GREEN] });
        assert.deepEqual(warns!(later, { live: "blue" }), []);
    });

    it("does not go back to a colour that has no release", async () => {
        await assert.rejects(edits("blue-green-rollback", {}, ["mcp:workloads.mcp-server.releases.green-"]), {
            message:
                '--live: found "green", which has no release; expected the colour of an earlier one. Set one with --to-revision N',
        });
    });

    for (const [what, id, given, message] of [
        [
            "a version that is active",
            "blue-green-release",
            { version: "v2.0.3", ...RECORD },
            /^--version: found "v2\.0\.3", which is active on blue; expected another version/,
        ],
        [
            "a version of a rolling workload that is active",
            "standard-deployment",
            { workload: "chat-ui", version: "v1.4.2", ...RECORD },
            /^--version: found "v1\.4\.2", which is active; expected another version/,
        ],
        [
            "the active colour",
            "blue-green-rollback",
            { live: "blue" },
            /^--live: found "blue", which is active; expected the inactive colour/,
        ],
    ] as const) {
        it(`refuses ${what}`, async () => {
            await assert.rejects(edits(id, given), (error) => {
                assert.ok(error instanceof UsageError);
                assert.match(error.message, message);
                return true;
            });
        });
    }
});

describe("the commit of a run", () => {
    let folder: string;
    const git = (...args: string[]) => {
        const { status, stdout, stderr } = spawnSync("git", args, { cwd: folder, encoding: "utf8" });
        assert.equal(status, 0, stderr);
        return stdout.trim();
    };
    const file = "Pulumi.production.yaml";
    const due = dueCommit({ id: "blue-green-release", title: "Blue-green release" }, "production", {
        workload: "mcp-server",
        version: "v2.2.0",
        ticket: "CHG-2041's",
    });
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "mcp-commit-"));
        git("init", "--quiet", "--initial-branch", "main");
        git("config", "user.name", "operator");
        git("config", "user.email", "operator@example.com");
        for (const name of [file, "other"]) writeFileSync(join(folder, name), "before\n");
        git("add", ".");
        git("commit", "--quiet", "-m", "first");
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it("is due once the stack file has changed", () => {
        assert.equal(isUncommitted(folder, file), false);
        writeFileSync(join(folder, "other"), "after\n");
        assert.equal(isUncommitted(folder, file), false);
        writeFileSync(join(folder, file), "after\n");
        assert.equal(isUncommitted(folder, file), true);
    });

    it("is not known outside of a repository", () => {
        rmSync(join(folder, ".git"), { recursive: true });
        assert.equal(isUncommitted(folder, file), undefined);
    });

    for (const [how, make] of [
        ["as made", () => commit(folder, due)],
        [
            "as printed",
            () => {
                const script = commandsFor(due).join(" &&");
                assert.equal(spawnSync("sh", ["-c", script], { cwd: folder }).status, 0, script);
            },
        ],
    ] as const) {
        it(`holds the stack file alone, on a branch named for the run, ${how}`, () => {
            for (const name of [file, "other"]) writeFileSync(join(folder, name), "after\n");
            make();
            assert.equal(git("branch", "--show-current"), "blue-green-release-production-mcp-server-v2.2.0");
            assert.equal(git("show", "--name-only", "--format=", "HEAD"), file);
            assert.equal(
                git("log", "-1", "--format=%B"),
                "Blue-green release in production: mcp-server v2.2.0\n\nTicket: CHG-2041's",
            );
        });
    }

    it("says what git says when it cannot be made", () => {
        writeFileSync(join(folder, file), "after\n");
        git("branch", due.branch);
        assert.throws(
            () => commit(folder, due),
            /^Error: Cannot commit Pulumi\.production\.yaml: git switch: .*already exists/,
        );
    });
});
