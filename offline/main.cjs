#!/usr/bin/env node
// Bundles the command line and runs it: ts-node alone would take longer than the whole preview.
"use strict";
const { join } = require("node:path");
const { setFlagsFromString } = require("node:v8");
const { bundle } = require("./bundle.cjs");

// A second of work is over before optimized code has paid for its making.
setFlagsFromString("--no-opt");

const root = join(__dirname, "..");
process.chdir(root);
require(bundle(root, "offline/cli.ts"));
