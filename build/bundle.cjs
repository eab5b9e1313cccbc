"use strict";
const { createHash } = require("node:crypto");
const { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } = require("node:fs");
const { join, resolve } = require("node:path");
const { buildSync } = require("esbuild");

/** The SDK and esbuild stay external, so that every bundle shares the mocked SDK. */
const EXTERNAL = ["@pulumi/*", "esbuild", "google-protobuf"];

/**
 * zod as a single file, built once for each version: the package has over a hundred files, and reading them takes
 * longer than reading the stack's values.
 */
function zodFile(root) {
    const { version } = JSON.parse(readFileSync(join(root, "node_modules", "zod", "package.json"), "utf8"));
    // Next to the bundles that require it: `npm ci` empties node_modules and leaves the bundles.
    const file = resolve(root, ".cache", `zod-${version}.cjs`);
    if (!existsSync(file)) {
        // Written to a temporary file and renamed, because two commands may run at the same time.
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
        // Dynamic imports become require: the SDK's packages are CommonJS.
        supported: { "dynamic-import": false },
        logLevel: "error",
        ...options,
    });
}

/** Folders of the project's sources, besides `index.ts`. */
const SOURCES = [
    "cli",
    "components",
    "config",
    "core",
    "jobs",
    "offline",
    "policies",
    "runbook",
    "stack",
    "test/bench",
];

/** Changes with every source of the project and every package that is bundled. */
function fingerprint(root) {
    const hash = createHash("sha256");
    const visit = (path) => {
        const { mtimeMs, size } = statSync(path);
        hash.update(`${path} ${mtimeMs} ${size}\n`);
    };
    for (const folder of SOURCES.map((name) => join(root, name)).filter((path) => existsSync(path))) {
        for (const entry of readdirSync(folder, { recursive: true })) {
            if (/\.c?[jt]s$/.test(entry)) {
                visit(join(folder, entry));
            }
        }
    }
    ["index.ts", "package.json"]
        .map((name) => join(root, name))
        .filter((path) => existsSync(path))
        .forEach(visit);
    return hash.digest("hex");
}

/**
 * Bundles a file of the project in `root` into `.cache`, with its source map, unless the bundle is up to
 * date. Returns its path, which is named after the file: no two share one.
 */
exports.bundle = function bundle(root, entryPoint) {
    const outfile = resolve(root, ".cache", entryPoint.replace(/\.ts$/, ".cjs").replaceAll("/", "-"));
    const stamp = `${outfile}.stamp`;
    const wanted = fingerprint(root);
    const found = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
    if (found !== wanted) {
        const zod = zodFile(root);
        const aside = `${outfile}.${process.pid}`;
        build(root, {
            entryPoints: [entryPoint],
            outfile: aside,
            sourcemap: "external",
            sourcesContent: false,
            // The jobs' schemas use a small part of it, so that part is bundled.
            alias: { zod, "zod/mini": resolve(root, "node_modules", "zod", "mini", "index.js") },
            external: [...EXTERNAL, zod],
        });
        // Renamed when complete, because another command may be reading.
        renameSync(`${aside}.map`, `${outfile}.map`);
        renameSync(aside, outfile);
        writeFileSync(stamp, wanted);
    }
    return outfile;
};
