#!/usr/bin/env node
// Bundles the command line and runs it: ts-node alone would take longer than the whole preview.
"use strict";
const { join } = require("node:path");
const { bundle } = require("./bundle.cjs");

const root = join(__dirname, "..");
process.chdir(root);
const outfile = join(root, "node_modules", ".cache", "mcp", "cli.cjs");
bundle(root, { entryPoints: ["offline/cli.ts"], outfile });
require(outfile);
