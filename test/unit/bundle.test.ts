import assert from "node:assert/strict";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../../build/bundle.cjs";

describe("bundle", () => {
    let root: string;

    beforeEach(() => {
        root = mkdtempSync(join(tmpdir(), "mcp-bundle-"));
        symlinkSync(join(process.cwd(), "node_modules"), join(root, "node_modules"));
        for (const folder of ["policies", "tools"]) {
            mkdirSync(join(root, folder));
            writeFileSync(join(root, folder, "index.ts"), `export const folder: string = "${folder}";`);
        }
    });

    afterEach(() => rmSync(root, { recursive: true }));

    it("gives two files of one name a bundle each", () => {
        for (const folder of ["policies", "tools"]) {
            assert.match(
                readFileSync(bundle(root, `${folder}/index.ts`), "utf8"),
                new RegExp(`folder = "${folder}"`),
            );
        }
    });

    it("requires nothing below node_modules that npm ci removes", () => {
        writeFileSync(
            join(root, "tools", "index.ts"),
            'import { z } from "zod"; export const schema = z.string();',
        );
        const [, required] = /require\("([^"]*zod[^"]*)"\)/.exec(
            readFileSync(bundle(root, "tools/index.ts"), "utf8"),
        )!;
        assert.ok(existsSync(required!));
        assert.doesNotMatch(required!, /node_modules/);
    });

    it("is made again only when a source has changed", () => {
        const file = bundle(root, "tools/index.ts");
        const made = readFileSync(file, "utf8");
        writeFileSync(file, "kept");
        bundle(root, "tools/index.ts");
        assert.equal(readFileSync(file, "utf8"), "kept");
        writeFileSync(join(root, "policies", "another.ts"), "");
        bundle(root, "tools/index.ts");
        assert.equal(readFileSync(file, "utf8"), made);
    });
});
