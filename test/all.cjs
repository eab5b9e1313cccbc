// npm run test:all: every tier in turn, and at the end what each did, what was skipped, and why.
"use strict";
const { spawnSync } = require("node:child_process");
const { existsSync, mkdtempSync, readFileSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

process.chdir(join(__dirname, ".."));
const tiers = ["test", ...["cli", "jobs", "cluster", "engine", "scanners"].map((tier) => `test:${tier}`)];
const folder = mkdtempSync(join(tmpdir(), "mcp-tiers-"));
const text = (file) => (existsSync(file) ? readFileSync(file, "utf8") : "");

try {
    const results = tiers.map((tier) => {
        console.log(`\n== npm run ${tier}`);
        const [counts, skips] = ["counts", "skips"].map((each) =>
            join(folder, `${tier.replaceAll(":", "-")}-${each}`),
        );
        const { status } = spawnSync("npm", ["run", "--silent", tier], {
            stdio: ["ignore", "inherit", "inherit"],
            env: { ...process.env, MCP_TEST_COUNTS: counts, MCP_TEST_SKIPS: skips },
        });
        const [passed = 0, failed = 0, skipped = 0] = text(counts).split(/\s+/).filter(Boolean).map(Number);
        return { tier, status, passed, failed, skipped, reasons: text(skips) };
    });
    console.log("");
    for (const { tier, status, passed, failed, skipped, reasons } of results) {
        const verdict = status === 0 ? "" : `, ended with ${status}`;
        console.log(`npm run ${tier}: ${passed} passed, ${failed} failed, ${skipped} skipped${verdict}`);
        for (const reason of reasons.split("\n").filter(Boolean)) console.log(`    ${reason}`);
    }
    process.exitCode = results.every(({ status }) => status === 0) ? 0 : 1;
} finally {
    rmSync(folder, { recursive: true });
}
