#!/usr/bin/env node
// Bundles and runs the command line: with ts-node, loading would take longer than the whole preview.
"use strict";
const { enableCompileCache } = require("node:module");
const { join } = require("node:path");
const { setFlagsFromString } = require("node:v8");
const { whyNotInstalled } = require("../build/installed.cjs");
const { startProgress } = require("../build/progress.cjs");

/** Commands that may take more than a second before they print something, and ask nothing. */
const SLOW = ["adopt", "diagram", "docs", "doctor", "preview", "render", "review", "status"];

const root = join(__dirname, "..");
const problem = whyNotInstalled(root);
if (problem === undefined) {
    run();
} else {
    process.stderr.write(`${problem}\n`);
    process.exitCode = 1;
}

function run() {
    const { bundle } = require("../build/bundle.cjs");
    const { putOff } = require("../build/lazySdk.cjs");
    const progress = SLOW.includes(process.argv[2]) ? startProgress("Preparing the program") : undefined;
    // Within a second of work, optimizing compilation does not pay off.
    setFlagsFromString("--no-opt");
    process.chdir(root);
    // Node 22 and newer cache compiled code, mostly the SDK's: a tenth of a preview.
    enableCompileCache?.(join(root, "node_modules", ".cache", "mcp", "compiled"));
    putOff(root);
    void require(bundle(root, "cli/cli.ts")).main(progress);
}
