import assert from "node:assert/strict";
import {
    chmodSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    statSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { replaceFile } from "../../cli/images/replaceFile";

describe("replaceFile", () => {
    it("keeps the file's rights and its links, and leaves nothing beside it", () => {
        const folder = mkdtempSync(join(tmpdir(), "mcp-replace-"));
        try {
            const file = join(folder, "file");
            writeFileSync(file, "old");
            chmodSync(file, 0o664);
            symlinkSync(file, join(folder, "link"));
            replaceFile(join(folder, "link"), "new");
            assert.equal(readFileSync(file, "utf8"), "new");
            assert.equal(statSync(file).mode & 0o777, 0o664);
            assert.deepEqual(readdirSync(folder), ["file", "link"]);
        } finally {
            rmSync(folder, { recursive: true });
        }
    });
});
