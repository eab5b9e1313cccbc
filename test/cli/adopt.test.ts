import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { ALL_CALLS } from "../../cli/adopt/aws";
import { root } from "../support";

describe("the inventory of docs/adopting.md", () => {
    let folder: string;
    before(() => (folder = mkdtempSync(join(tmpdir(), "mcp-inventory-"))));
    after(() => rmSync(folder, { recursive: true }));

    /** Runs the page's script with a command line of AWS that answers with what it was asked. */
    function listed(...lines: string[]) {
        const aws = join(folder, "aws");
        writeFileSync(aws, ["#!/bin/sh", ...lines].join("\n"));
        chmodSync(aws, 0o755);
        const page = readFileSync(join(root, "docs", "adopting.md"), "utf8");
        const [, script] = /<!-- inventory -->\n\n```bash\n([^]+?)```/.exec(page)!;
        return spawnSync("bash", ["-c", script!], {
            cwd: folder,
            encoding: "utf8",
            env: { ...process.env, PATH: [folder, process.env["PATH"]].join(delimiter) },
        });
    }

    it("is one object with the answer of each call, which only its owner reads", () => {
        const { status, stderr } = listed(`printf '{"asked": "%s"}' "$*"`);
        assert.equal(status, 0, stderr);
        const { region, ...answers } = JSON.parse(
            readFileSync(join(folder, "inventory.json"), "utf8"),
        ) as Record<string, { asked: string }>;
        assert.equal(region, "ap-south-1");
        assert.deepEqual(Object.keys(answers).sort(), [...ALL_CALLS].sort());
        for (const [call, { asked }] of Object.entries(answers)) {
            assert.ok(asked.startsWith(`${call} `), asked);
            assert.ok(asked.endsWith(" --region ap-south-1 --output json"), asked);
        }
    });

    it("ends with the first call that fails", () => {
        const { status } = listed("exit 254");
        assert.equal(status, 254);
    });
});
