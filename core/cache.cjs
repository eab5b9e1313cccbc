"use strict";
const {
    mkdirSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    statSync,
    writeFileSync,
} = require("node:fs");
const { join, resolve } = require("node:path");

/** A folder below `node_modules/.cache` of the project in `root`, for what can be made again at any time. */
exports.cacheFolder = function cacheFolder(root, name) {
    return resolve(root, "node_modules", ".cache", "mcp", name);
};

/** What a folder of the cache holds for a key; undefined where it holds nothing. */
exports.readCached = function readCached(folder, key) {
    try {
        return readFileSync(join(folder, key));
    } catch {
        return undefined;
    }
};

/**
 * Writes an entry atomically, and deletes all but the `keep` newest ones of the folder. A folder that cannot be written,
 * as in a read-only checkout, stays as it is: a cache saves time and must not fail a command.
 */
exports.writeCached = function writeCached(folder, key, content, keep) {
    try {
        mkdirSync(folder, { recursive: true });
        const aside = join(folder, `${key}.${process.pid}.${process.hrtime.bigint()}`);
        writeFileSync(aside, content, { mode: 0o600 });
        renameSync(aside, join(folder, key));
        prune(folder, keep);
    } catch {
        // It is made again next time.
    }
};

function prune(folder, keep) {
    const names = readdirSync(folder);
    if (names.length <= keep) return;
    const age = (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const newestFirst = names.map((name) => [name, age(name)]).sort(([, one], [, other]) => other - one);
    // A tenth more than needed, so that the next writes do not have to look again.
    for (const [name] of newestFirst.slice(Math.ceil(keep * 0.9)))
        rmSync(join(folder, name), { force: true });
}
