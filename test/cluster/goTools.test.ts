import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GoTools } from "../goTools";

const missing = spawnSync("go", ["version"]).status === 0 ? undefined : "there is no Go";
const suite = missing ? describe.skip : describe;

suite(`programs built from Go modules${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(120_000);
    const folder = mkdtempSync(join(tmpdir(), "mcp-go-tools-"));
    const cache = join(folder, "cache");
    const module = join(folder, "hello");
    const write = (program: string) => {
        mkdirSync(module, { recursive: true });
        writeFileSync(join(module, "go.mod"), "module example.com/hello\n\ngo 1.24\n");
        writeFileSync(join(module, "main.go"), `package main\n\n${program}\n`);
    };
    const tools = (word = "hello") => new GoTools("hello", [module], { "main.word": word }, cache);

    beforeEach(() => write("var word string\n\nfunc main() { println(word) }"));
    afterEach(() => rmSync(cache, { recursive: true, force: true }));
    after(() => rmSync(folder, { recursive: true, force: true }));

    it("are built by the first who needs them, while others wait, and are then there", async () => {
        const lines: string[] = [];
        assert.equal(tools().whyNotBuilt(), "hello is not built yet: run npm run test:build");
        const folders = await Promise.all([1, 2].map(() => tools().build((line) => lines.push(line))));
        assert.deepEqual(folders, [tools().folder, tools().folder]);
        assert.equal(tools().whyNotBuilt(), undefined);
        assert.deepEqual(
            lines.map((line) => line.split(" ")[0]),
            ["Building", "Waiting"],
        );
        await tools().build((line) => assert.fail(line));
        assert.deepEqual(readdirSync(cache), [tools().folder.slice(cache.length + 1)]);
        // println writes there.
        const { stderr } = spawnSync(join(tools().folder, "hello"), { encoding: "utf8" });
        assert.equal(stderr, "hello\n");
    });

    it("are others when a source or a variable is another", () => {
        const { folder: before } = tools();
        assert.notEqual(tools("other").folder, before);
        write("func main() {}");
        assert.notEqual(tools().folder, before);
    });

    it("are built by the next when the process that was to build them has died", async () => {
        mkdirSync(cache);
        const ended = execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" });
        writeFileSync(`${tools().folder}.lock`, ended.trim());
        await tools().build();
        assert.deepEqual(readdirSync(tools().folder), ["hello"]);
    });

    it("leave nothing behind when they cannot be built, and say why", async () => {
        write("func main() { undefined() }");
        await assert.rejects(tools().build(), /^Error: Cannot build hello:\n[^]*undefined: undefined/);
        assert.deepEqual(readdirSync(cache), []);
    });
});
