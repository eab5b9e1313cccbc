// Bundles and runs the pack: the engine's loader would transpile it with TypeScript, which takes longer than a whole
// preview.
"use strict";
const { join } = require("node:path");
const { bundle } = require("../build/bundle.cjs");

require(bundle(join(__dirname, ".."), "policies/index.ts"));
