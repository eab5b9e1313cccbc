#!/usr/bin/env node
// Bundles the command line once and runs it: ts-node alone would take longer than the whole preview.
"use strict";
const { buildSync } = require("esbuild");
const { join } = require("node:path");

process.chdir(join(__dirname, ".."));
const outfile = join("node_modules", ".cache", "mcp", "cli.cjs");
buildSync({
    entryPoints: ["offline/cli.ts"],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    external: ["@pulumi/*", "esbuild", "google-protobuf", "typescript"],
    logLevel: "error",
});
require(join(process.cwd(), outfile));
