import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../support";

describe("npm run check:types", () => {
    let folder: string;
    before(() => (folder = mkdtempSync(join(tmpdir(), "mcp-types-"))));
    after(() => rmSync(folder, { recursive: true }));

    it("checks what the engine runs unchecked: a planted type error is found", () => {
        writeFileSync(join(folder, "planted.ts"), `export const replicas: number = "three";\n`);
        const tsc = (compiler: string, config: string, ...flags: string[]) => {
            const project = join(folder, config);
            const types = { typeRoots: [join(root, "node_modules", "@types")] };
            const settings = { extends: join(root, config), compilerOptions: types, include: ["planted.ts"] };
            writeFileSync(project, JSON.stringify(settings));
            const tool = join(root, "node_modules", compiler, "bin", "tsc");
            return spawnSync("node", [tool, "-p", project, ...flags], { encoding: "utf8" });
        };
        const checked = tsc("typescript-7", "tsconfig.check.json", "--moduleResolution", "bundler");
        assert.notEqual(checked.status, 0);
        assert.match(checked.stdout, /planted\.ts\(1,14\): error TS2322/);
        // The engine's own settings skip the check, which makes a preview twice as fast.
        assert.equal(tsc("typescript", "tsconfig.json").status, 0);
    });
});
