import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../../build/bundle.cjs";
import { copyOfProject, root } from "../support";

describe("bundle", () => {
    let project: string;

    beforeEach(() => {
        project = mkdtempSync(join(tmpdir(), "mcp-bundle-"));
        symlinkSync(join(process.cwd(), "node_modules"), join(project, "node_modules"));
        for (const folder of ["policies", "tools"]) {
            mkdirSync(join(project, folder));
            writeFileSync(join(project, folder, "index.ts"), `export const folder: string = "${folder}";`);
        }
    });

    afterEach(() => rmSync(project, { recursive: true }));

    it("gives two files of one name a bundle each", () => {
        for (const folder of ["policies", "tools"]) {
            assert.match(
                readFileSync(bundle(project, `${folder}/index.ts`), "utf8"),
                new RegExp(`folder = "${folder}"`),
            );
        }
    });

    it("requires nothing below node_modules that npm ci removes", () => {
        writeFileSync(
            join(project, "tools", "index.ts"),
            'import { z } from "zod"; export const schema = z.string();',
        );
        const [, required] = /require\("([^"]*zod[^"]*)"\)/.exec(
            readFileSync(bundle(project, "tools/index.ts"), "utf8"),
        )!;
        assert.ok(existsSync(required!));
        assert.doesNotMatch(required!, /node_modules/);
    });

    it("is made again only when a source has changed", () => {
        const file = bundle(project, "tools/index.ts");
        const made = readFileSync(file, "utf8");
        writeFileSync(file, "kept");
        bundle(project, "tools/index.ts");
        assert.equal(readFileSync(file, "utf8"), "kept");
        writeFileSync(join(project, "policies", "another.ts"), "");
        bundle(project, "tools/index.ts");
        assert.equal(readFileSync(file, "utf8"), made);
    });
});

describe("bundled jobs", () => {
    it("name the files of packages alike where node_modules is a link, as in a copy of the project", () => {
        const copy = copyOfProject();
        try {
            // An empty cache, which is not shared: each copy bundles.
            rmSync(join(copy, "node_modules"));
            mkdirSync(join(copy, "node_modules"));
            for (const name of readdirSync(join(root, "node_modules")).filter((name) => name !== ".cache")) {
                symlinkSync(join(root, "node_modules", name), join(copy, "node_modules", name));
            }
            const code = 'console.log(require("./jobs/bundle.cjs").bundledJob("health"))';
            const { status, stdout } = spawnSync(process.execPath, ["-e", code], {
                cwd: copy,
                encoding: "utf8",
            });
            assert.equal(status, 0);
            assert.match(stdout, /^\/\/ node_modules\/zod\//m);
            assert.doesNotMatch(stdout, /^\/\/ \.\.\//m);
        } finally {
            rmSync(copy, { recursive: true });
        }
    });
});
