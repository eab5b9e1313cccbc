import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authorsOf, committer } from "../../cli/authors";

describe("the authors of a stack file", () => {
    let folder: string;
    let base: string;
    const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, encoding: "utf8" }).trim();
    const commit = (name: string, file: string, message = "Change") => {
        writeFileSync(join(folder, file), `${name} ${message}\n`, { flag: "a" });
        git("add", file);
        git("-c", `user.name=${name}`, "-c", `user.email=${name}@example.com`, "commit", "-qm", message);
        return git("rev-parse", "HEAD");
    };
    before(() => {
        folder = mkdtempSync(join(tmpdir(), "mcp-authors-"));
        git("init", "--quiet");
        git("config", "user.name", "Ravi");
        git("config", "user.email", "ravi@example.com");
        base = commit("before", "values");
        commit("asha", "values");
        commit("other", "README");
        commit("asha", "values", "More\n\nCo-authored-by: Meera <meera@example.com>");
    });
    after(() => rmSync(folder, { recursive: true }));

    it("are those of its commits since the base, each once, and co-authors", () => {
        assert.deepEqual(authorsOf(folder, "values", base), [
            "asha <asha@example.com>",
            "Meera <meera@example.com>",
        ]);
    });

    it("include the one who commits here, where it is not committed yet", () => {
        writeFileSync(join(folder, "values"), "now\n");
        assert.equal(committer(folder), "Ravi <ravi@example.com>");
        assert.equal(authorsOf(folder, "values", base).at(-1), "Ravi <ravi@example.com>");
    });
});
