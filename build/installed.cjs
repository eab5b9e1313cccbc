// Whether the packages of the commands are installed, in the versions of package.json. Uses only Node.
"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const read = (...path) => {
    try {
        return JSON.parse(readFileSync(join(...path), "utf8"));
    } catch {
        return undefined;
    }
};

/** Why the commands cannot run in the project in `root`, in one line with the remedy; undefined if they can. */
exports.whyNotInstalled = function whyNotInstalled(root, node = process.versions.node) {
    const { engines, dependencies } = read(root, "package.json");
    const [least] = /[\d.]+$/.exec(engines.node);
    if (isOlder(node, least)) {
        return `Node: found ${node}, expected ${least} or newer. Install it, then run npm ci.`;
    }
    const wrong = Object.entries(dependencies).flatMap(([name, version]) => {
        const found = read(root, "node_modules", name, "package.json")?.version?.replace(/^v/, "");
        return found === version ? [] : [{ name, version, found }];
    });
    if (wrong.length === 0) {
        return undefined;
    }
    const [{ name, version, found = "nothing" }] = wrong;
    const others = wrong.length === 1 ? "" : ` (and ${wrong.length - 1} more)`;
    return `node_modules: ${name}: found ${found}, expected ${version}${others}. Run npm ci.`;
};

function isOlder(found, least) {
    const [one, other] = [found, least].map((text) => text.split(".").map(Number));
    const index = other.findIndex((part, at) => part !== one[at]);
    return index >= 0 && one[index] < other[index];
}
