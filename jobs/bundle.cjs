"use strict";
const { createHash } = require("node:crypto");
const { existsSync, readdirSync, readFileSync } = require("node:fs");
const { basename, dirname, join } = require("node:path");
const { cacheFolder, readCached, writeCached } = require("../core/cache.cjs");

/** Number of bundle sets in the cache: this checkout's, and those of other checkouts that share its packages. */
const KEPT_SETS = 8;

let bundles;

/** A program of this folder as one file that Node runs without any package, ready for a ConfigMap. */
exports.bundledJob = function bundledJob(name) {
    bundles ??= bundledJobs(projectRoot(__dirname));
    return bundles[name];
};

/** Text of a file below this folder. */
exports.jobFile = function jobFile(path) {
    return readFileSync(join(projectRoot(__dirname), "jobs", path), "utf8");
};

/** The folder of `jobs/`, above this file or the command line's bundle. */
function projectRoot(folder) {
    if (existsSync(join(folder, "jobs", "bundle.cjs"))) return folder;
    if (folder === dirname(folder))
        throw new Error(`${__dirname}: found no folder jobs/ above, expected one`);
    return projectRoot(dirname(folder));
}

/** All programs, bundled together and cached until a source changes: esbuild takes a tenth of a preview. */
function bundledJobs(root) {
    const sources = readdirSync(join(root, "jobs"), { recursive: true })
        .filter((file) => file.endsWith(".ts"))
        .sort();
    const hash = createHash("sha256");
    const packages = ["aws4fetch", "esbuild", "zod"].map((name) =>
        join("node_modules", name, "package.json"),
    );
    const own = [...sources, "bundle.cjs"].map((source) => join("jobs", source));
    for (const file of [...packages, ...own]) {
        hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
    }
    const [folder, key] = [cacheFolder(root, "jobs"), hash.digest("hex")];
    const known = readCached(folder, key);
    if (known !== undefined) return JSON.parse(known.toString());
    const made = bundle(
        root,
        sources.filter((source) => basename(source) === source),
    );
    writeCached(folder, key, JSON.stringify(made), KEPT_SETS);
    return made;
}

function bundle(root, programs) {
    // Loaded only when something is bundled.
    const { buildSync } = require("esbuild");
    const { outputFiles } = buildSync({
        absWorkingDir: root,
        entryPoints: programs.map((program) => join("jobs", program)),
        outdir: join(root, "jobs"),
        bundle: true,
        platform: "node",
        target: "node20",
        format: "cjs",
        // Paths are part of the text, as comments: the same wherever node_modules leads.
        preserveSymlinks: true,
        // Readable in the cluster, for whoever debugs a gate.
        minify: false,
        write: false,
        logLevel: "silent",
    });
    return Object.fromEntries(outputFiles.map(({ path, text }) => [basename(path, ".js"), text]));
}
