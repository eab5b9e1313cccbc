"use strict";
const { existsSync, readFileSync, renameSync } = require("node:fs");
const { join, resolve } = require("node:path");
const { buildSync } = require("esbuild");

/** What the SDK and esbuild bring stays outside, so that every bundle shares the one that is mocked. */
const EXTERNAL = ["@pulumi/*", "esbuild", "google-protobuf"];

/**
 * zod as one file, made once for each version of it: as a package it is over a hundred, and reading those takes
 * longer than reading the stack's values.
 */
function zodFile(root) {
    const { version } = JSON.parse(readFileSync(join(root, "node_modules", "zod", "package.json"), "utf8"));
    const file = resolve(root, "node_modules", ".cache", "mcp", `zod-${version}.cjs`);
    if (!existsSync(file)) {
        // Made aside and renamed: two commands may be started at the same time.
        const aside = `${file}.${process.pid}`;
        build(root, { entryPoints: ["zod"], outfile: aside });
        renameSync(aside, file);
    }
    return file;
}

function build(root, options) {
    return buildSync({
        absWorkingDir: root,
        bundle: true,
        platform: "node",
        target: "node20",
        external: EXTERNAL,
        logLevel: "error",
        ...options,
    });
}

/** Bundles a file of the project in `root`; further options are esbuild's. */
exports.bundle = function bundle(root, options) {
    const zod = zodFile(root);
    return build(root, { alias: { zod }, external: [...EXTERNAL, zod], ...options });
};
