import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../support";

const { whyNotInstalled } = createRequire(__filename)("../../build/installed.cjs") as {
    whyNotInstalled: (root: string, node?: string) => string | undefined;
};

describe("what is installed", () => {
    let folder: string;
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "mcp-installed-"));
        const dependencies = { one: "1.2.3", "@scope/two": "2.0.0" };
        writeFileSync(
            join(folder, "package.json"),
            JSON.stringify({ engines: { node: ">=20.19" }, dependencies }),
        );
        install("one", "1.2.3");
        // As a package has it whose version comes from a tag.
        install("@scope/two", "v2.0.0");
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    const install = (name: string, version: string) => {
        const at = join(folder, "node_modules", name);
        mkdirSync(at, { recursive: true });
        writeFileSync(join(at, "package.json"), JSON.stringify({ version }));
    };

    it("is enough here, and where versions are those of package.json", () => {
        assert.equal(whyNotInstalled(root), undefined);
        assert.equal(whyNotInstalled(folder, "20.19.0"), undefined);
    });

    it("is old, or is not there", () => {
        install("one", "1.2.2");
        assert.equal(whyNotInstalled(folder), "node_modules: one: found 1.2.2, expected 1.2.3. Run npm ci.");
        rmSync(join(folder, "node_modules"), { recursive: true });
        assert.equal(
            whyNotInstalled(folder),
            "node_modules: one: found nothing, expected 1.2.3 (and 1 more). Run npm ci.",
        );
    });

    it("needs a Node that is new enough", () => {
        assert.equal(
            whyNotInstalled(folder, "20.9.1"),
            "Node: found 20.9.1, expected 20.19 or newer. Install it, then run npm ci.",
        );
        assert.equal(whyNotInstalled(folder, "22.0.0"), undefined);
    });
});
