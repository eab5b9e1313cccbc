import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { goldenFiles } from "../golden";
import { root } from "../support";

describe("golden files", () => {
    let files: Map<string, string>;
    before(async () => (files = await goldenFiles()));

    it("are all there, and no others", () => {
        const folder = join(root, "test", "golden");
        const found = readdirSync(folder, { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
        assert.deepEqual(found.sort(), [...files.keys()].sort());
    });

    it("are what the program declares (npm run golden rewrites them)", () => {
        for (const [file, content] of files) {
            assert.equal(content, readFileSync(join(root, "test", "golden", file), "utf8"), file);
        }
    });

    it("hold no secret in plain", () => {
        const dumps = [...files.values()].join("\n");
        assert.match(dumps, /stringData: "\[secret\]"/);
        assert.doesNotMatch(dumps, /: placeholder$/m);
    });
});
