import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeGenerated } from "../../offline/writeGenerated";

describe("generated files", () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "mcp-anew-"))));
    afterEach(() => rmSync(folder, { recursive: true }));

    it("is counted, with the names of what has changed, and the rest is not touched", () => {
        const files = new Map([
            ["one.md", "1"],
            [join("steps", "other.txt"), "2"],
        ]);
        assert.equal(writeGenerated(folder, files), "Wrote 2 files, 2 changed: one.md, steps/other.txt.");
        const one = join(folder, "one.md");
        utimesSync(one, 1, 1);
        files.set(join("steps", "other.txt"), "3");
        assert.equal(writeGenerated(folder, files), "Wrote 2 files, 1 changed: steps/other.txt.");
        assert.equal(readFileSync(join(folder, "steps", "other.txt"), "utf8"), "3");
        assert.equal(statSync(one).mtimeMs, 1000);
        assert.equal(writeGenerated(folder, files), "Wrote 2 files, 0 changed.");
    });
});
