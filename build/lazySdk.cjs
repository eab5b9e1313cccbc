"use strict";
const Module = require("node:module");
const { join } = require("node:path");

/**
 * Modules of the SDK that recording a program does not need, and functions of theirs that the SDK takes at once without
 * calling them: the Automation API, and what serializes functions, which brings TypeScript and npm's own code along.
 * They take five sixths of the time that importing the SDK takes.
 */
const MODULES = {
    "automation/index.js": [],
    "runtime/closure/serializeClosure.js": ["serializeFunction", "serializeFunctionAsync"],
    "runtime/closure/codePaths.js": ["computeCodePaths"],
};

/** Puts these modules off until something in one of them is first used. */
exports.putOff = function putOff(root) {
    for (const [name, functions] of Object.entries(MODULES)) {
        const file = join(root, "node_modules", "@pulumi", "pulumi", name);
        let loaded;
        const load = () => {
            if (loaded === undefined) {
                delete require.cache[file];
                loaded = require(file);
            }
            return loaded;
        };
        const module = new Module(file);
        module.filename = file;
        module.loaded = true;
        // Imports ask for this one before anything is used.
        const known = { __esModule: true };
        for (const each of functions) known[each] = (...args) => load()[each](...args);
        module.exports = new Proxy(known, {
            get: (_, key) => (Object.hasOwn(known, key) ? known[key] : load()[key]),
            has: (_, key) => key in load(),
            ownKeys: () => Reflect.ownKeys(load()),
            getOwnPropertyDescriptor: (_, key) => {
                const found = Reflect.getOwnPropertyDescriptor(load(), key);
                // A proxy may not call a property fixed that its target does not have.
                return found && { ...found, configurable: true };
            },
        });
        require.cache[file] ??= module;
    }
};
