import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder, readCached, writeCached } from "../../core/cache.cjs";
import { type Program } from "../../offline/program";
import { recordOnce } from "../../offline/recordings";
import { readStackFile } from "../../offline/stackFile";
import { root as project } from "../support";

/** A program that declares nothing, and counts its runs. */
function programOf(fingerprint: string): Program & { runs: number } {
    const program = {
        runs: 0,
        file: "",
        fingerprint,
        locate: () => undefined,
        run: () => {
            program.runs += 1;
            return { runs: program.runs, nested: [{ text: "a" }, null, 1.5] };
        },
    };
    return program;
}

describe("a recording", () => {
    let root: string;
    beforeEach(() => {
        root = mkdtempSync(join(tmpdir(), "mcp-recordings-"));
        for (const file of ["Pulumi.yaml", "Pulumi.staging.yaml"]) {
            cpSync(join(project, file), join(root, file));
        }
    });
    afterEach(() => rmSync(root, { recursive: true }));

    const kept = () =>
        existsSync(cacheFolder(root, "recordings")) ? readdirSync(cacheFolder(root, "recordings")) : [];

    it("is made once for a program and its values, and is the same when it comes from the cache", async () => {
        const program = programOf("one");
        const first = await recordOnce(root, program, readStackFile(root, "staging"));
        assert.deepEqual(await recordOnce(root, program, readStackFile(root, "staging")), first);
        assert.equal(program.runs, 1);
        assert.deepEqual(first.outputs, { runs: 1, nested: [{ text: "a" }, null, 1.5] });
    });

    it("is made again for another program, other values and another time", async () => {
        const program = programOf("one");
        await recordOnce(root, program, readStackFile(root, "staging"));
        await recordOnce(
            root,
            program,
            readStackFile(root, "staging", ["mcp:workloads.chat-ui.scaling.min=2"]),
        );
        assert.equal(program.runs, 2);
        const time = process.env["MCP_NOW"];
        process.env["MCP_NOW"] = "2026-02-02T00:00:00Z";
        try {
            await recordOnce(root, program, readStackFile(root, "staging"));
        } finally {
            process.env["MCP_NOW"] = time;
        }
        assert.equal(program.runs, 3);
        const other = programOf("other");
        await recordOnce(root, other, readStackFile(root, "staging"));
        assert.equal(other.runs, 1);
    });

    it("is never kept with a secret, however it was set", async () => {
        for (const edit of ["mcp:secrets.mcp-server.API_KEY=planted", "mcp:tls.mcp-tls.key=planted"]) {
            await recordOnce(root, programOf("one"), readStackFile(root, "staging", [edit]));
        }
        assert.deepEqual(kept(), []);
        await recordOnce(root, programOf("one"), readStackFile(root, "staging"));
        assert.equal(kept().length, 1);
    });

    it("is not kept of a run that fails", async () => {
        const failing = { ...programOf("one"), run: () => Promise.reject(new Error("planted")) };
        await assert.rejects(recordOnce(root, failing, readStackFile(root, "staging")), /planted/);
        assert.deepEqual(kept(), []);
    });
});

describe("the cache", () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "mcp-cache-"))));
    afterEach(() => rmSync(folder, { recursive: true }));

    it("keeps the newest entries, and never more than it may", () => {
        for (let index = 0; index < 25; index += 1) {
            writeCached(folder, `key-${index}`, `text ${index}`, 10);
            assert.equal(readCached(folder, `key-${index}`)?.toString(), `text ${index}`);
            assert.ok(readdirSync(folder).length <= 10);
        }
    });

    it("fails nothing where it cannot be written", () => {
        writeFileSync(join(folder, "file"), "");
        writeCached(join(folder, "file", "below"), "key", "text", 10);
        assert.equal(readCached(join(folder, "file", "below"), "key"), undefined);
    });
});
