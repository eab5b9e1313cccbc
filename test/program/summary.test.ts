import assert from "node:assert/strict";
import { describeWorkloads } from "../../offline/summary";
import { compare } from "../../offline/compare";
import { changesOf, recordStack } from "../support";

const CHAT = "mcp:workloads.chat-ui";
const SERVER = "mcp:workloads.mcp-server";
const VERSION = `${CHAT}.release.version=v1.5.0`;

/** What is said of edits of production. */
const said = async (...edits: string[]) => describeWorkloads(await changesOf("production", ...edits));

describe("what edits mean, in words", () => {
    it("tells a way back by its numbers, and of nothing else whether it is one", async () => {
        const to = async (version: string) => (await said(`${CHAT}.release.version=${version}`))[0]!;
        assert.match(await to("v1.4.1"), /^chat-ui goes back from v1\.4\.2 to v1\.4\.1;/);
        assert.match(await to("v1.4.10"), /^chat-ui goes from v1\.4\.2 to v1\.4\.10;/);
        assert.match(await to("main"), /^chat-ui goes from v1\.4\.2 to main;/);
    });

    it("tells which tool users lose, and which they get back", async () => {
        const tools = ["mcp:disabledTools[0]=one", "mcp:disabledTools[1]=other"];
        assert.deepEqual(await said(...tools), ["The tool one is disabled.", "The tool other is disabled."]);
        const changes = compare(
            await recordStack("production", ...tools),
            await recordStack("production", tools[0]!),
        );
        assert.deepEqual(describeWorkloads(changes), ["The tool other is enabled again."]);
    });

    it("tells what runs once", async () => {
        assert.deepEqual(await said("mcp:operations.diagnostics=INC-1"), [
            "mcp-diagnostics-inc-1 runs once.",
        ]);
    });
});

describe("what edits mean, in words: evidence", () => {
    it("has a record of another version", async () => {
        assert.deepEqual(await said(VERSION), [
            "chat-ui goes from v1.4.2 to v1.5.0; gates: evidence, smoke.",
            "The evidence gate stops chat-ui v1.5.0, unless the release history has it: its change record is of v1.4.2, not of v1.5.0.",
        ]);
    });

    it("has none, whether the colour gets traffic or is only tried", async () => {
        const stops =
            /^The evidence gate stops mcp-server v2\.1\.0 \(green\), unless the release history has it: it has no change record: /;
        assert.match((await said(`${SERVER}.live=green`)).at(-1)!, stops);
        assert.match((await said(`${SERVER}.stage=green`)).join(), stops);
    });

    it("names the stack that must have completed the image, or the reason for none", async () => {
        const green = [
            "version=v2.1.0",
            "ticket=CHG-7",
            "approvers[0]=al",
            "approvers[1]=bo",
            "rollbackPlan=back",
        ];
        const edits = [
            `${SERVER}.live=green`,
            "mcp:checklist.validatedBy=acme/mcp/staging",
            ...green.map((value) => `${SERVER}.releases.green.change.${value}`),
        ];
        assert.equal(
            (await said(...edits)).at(-1),
            "mcp-server v2.1.0 (green) comes with CHG-7, approved by al, bo; the evidence gate checks that acme/mcp/staging completed its image.",
        );
        assert.match(
            (await said(...edits, `${SERVER}.releases.green.change.author=Asha Rao`)).at(-1)!,
            /^mcp-server v2\.1\.0 \(green\) comes with CHG-7 by Asha Rao, approved by al, bo; /,
        );
        assert.equal(
            (await said(...edits, `${SERVER}.releases.green.change.unvalidated=staging is down`)).at(-1),
            "mcp-server v2.1.0 (green) comes with CHG-7, approved by al, bo; no stack must complete its image first: staging is down.",
        );
    });

    it("is skipped, and why", async () => {
        assert.equal(
            (await said(VERSION, `${CHAT}.release.change.version=v1.5.0`)).at(-1),
            "chat-ui v1.5.0 skips the checklist: first installation.",
        );
    });

    it("is not asked for what is no release", async () => {
        assert.deepEqual(await said(`${CHAT}.scaling.min=3`), []);
        assert.deepEqual(await said(`${CHAT}.restart=INC-2041`), ["chat-ui is restarted: INC-2041."]);
    });
});
