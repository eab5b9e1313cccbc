import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { goldenFiles } from "../../offline/golden";
import { recordStack, root } from "../support";

describe("golden dumps", () => {
    for (const stack of ["production", "staging"]) {
        it(`of ${stack} are what the program declares (npm run golden writes them anew)`, async () => {
            const folder = join(root, "test", "golden", stack);
            const files = goldenFiles(await recordStack(stack));
            assert.deepEqual(readdirSync(folder).sort(), [...files.keys()].sort());
            for (const [file, content] of files) {
                assert.equal(content, readFileSync(join(folder, file), "utf8"), `${stack}/${file}`);
            }
        });
    }

    it("hold no secret in plain", async () => {
        const dumps = [...goldenFiles(await recordStack("production")).values()].join("\n");
        assert.match(dumps, /stringData: "\[secret\]"/);
        assert.doesNotMatch(dumps, /: placeholder/);
    });
});
