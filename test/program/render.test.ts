import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { type Manifest } from "../../offline/manifests";
import { recordStack, run } from "../support";

describe("npm run render", () => {
    let folder: string;
    before(() => (folder = mkdtempSync(join(tmpdir(), "mcp-render-"))));
    after(() => rmSync(folder, { recursive: true }));

    it("writes every Kubernetes object of a stack, a file each, without its secrets", async () => {
        const out = join(folder, "production");
        const { status, stdout, stderr } = await run("render", "--out", out);
        assert.deepEqual([status, stderr], [0, ""]);
        const files = readdirSync(out);
        assert.equal(stdout, `Wrote ${files.length} files to ${out}.\n`);
        const { resources } = await recordStack("production");
        assert.equal(files.length, resources.filter(({ type }) => type.startsWith("kubernetes:")).length);
        const texts = files.map((file) => readFileSync(join(out, file), "utf8"));
        for (const text of texts) {
            const { apiVersion, kind, metadata } = parse(text) as Manifest;
            assert.ok(apiVersion && kind && metadata.name, text);
            assert.doesNotMatch(text, /placeholder$/m);
        }
        const deployment = files.indexOf("deployment-mcp-server-blue.yaml");
        assert.match(texts[deployment]!, /progressDeadlineSeconds: 300/);
    });

    it("writes a stack with values that are tried", async () => {
        const out = join(folder, "tried");
        const tried = await run("render", "--out", out, "--set", "mcp:workloads.chat-ui.scaling.min=3");
        assert.equal(tried.status, 0);
        const autoscaler = readFileSync(join(out, "horizontalpodautoscaler-chat-ui.yaml"), "utf8");
        assert.match(autoscaler, /minReplicas: 3/);
        rmSync(out, { recursive: true });
    });

    it("overwrites nothing, and says what it needs", async () => {
        const bad: [args: string[], message: RegExp][] = [
            [
                ["--out", join(folder, "production")],
                /^--out: found .*production, which is not empty, expected a folder/,
            ],
            [
                ["--out", join(folder, "production", "service-chat-ui.yaml")],
                /^--out: found .*service-chat-ui\.yaml, which is a file, expected a folder/,
            ],
            [[], /^--out: found nothing, expected a folder/],
            [["--out", ""], /^--out: found nothing, expected a folder/],
            // Node would try for ever.
            [
                ["--out", "/proc/mcp/a"],
                /^--out: found \/proc\/mcp\/a, expected a folder that can be made \(ENOENT\)/,
            ],
            [
                ["--out", join(folder, "production", "service-chat-ui.yaml", "a")],
                /expected a folder that can be made \(ENOTDIR\)/,
            ],
            [["--out", join(folder, "qa"), "--stack", "qa"], /^--stack: found "qa"/],
        ];
        for (const [args, message] of bad) {
            const { status, stderr } = await run("render", ...args);
            assert.equal(status, 1);
            assert.match(stderr, message);
        }
        assert.deepEqual(readdirSync(folder), ["production"]);
    });
});
