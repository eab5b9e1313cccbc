import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "ts-node";
import { root } from "../support";

describe("types", () => {
    let folder: string;
    before(() => (folder = mkdtempSync(join(tmpdir(), "mcp-types-"))));
    after(() => rmSync(folder, { recursive: true }));

    it("are checked by npm run check:types: a planted error is found", () => {
        writeFileSync(join(folder, "planted.ts"), `export const replicas: number = "three";\n`);
        const project = join(folder, "tsconfig.json");
        const settings = {
            extends: join(root, "tsconfig.json"),
            compilerOptions: { typeRoots: [join(root, "node_modules", "@types")] },
            include: ["planted.ts"],
        };
        writeFileSync(project, JSON.stringify(settings));
        const own = ["-p", project, "--tsBuildInfoFile", join(folder, "types.tsbuildinfo")];
        const { status, stdout } = spawnSync("npm", ["run", "-s", "check:types", "--", ...own], {
            cwd: root,
            encoding: "utf8",
        });
        assert.notEqual(status, 0);
        assert.match(stdout, /planted\.ts\(1,14\): error TS2322/);
    });

    it("are not checked again by the engine, whose preview would take twice as long", () => {
        // As the SDK registers ts-node: it sets what to do only where noCheck of the compiler's options does.
        const { options } = create({ project: join(root, "tsconfig.json"), transpileOnly: undefined });
        assert.equal(options.transpileOnly, true);
    });
});
