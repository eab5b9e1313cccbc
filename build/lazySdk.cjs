"use strict";
const Module = require("node:module");
const { join } = require("node:path");

/**
 * Modules of the SDK that recording a program does not need, with the functions that the SDK reads at import time: the
 * Automation API, and function serialization, which loads TypeScript and npm's code. They take five sixths of the SDK's
 * import time.
 */
const MODULES = {
    "automation/index.js": [],
    "runtime/closure/serializeClosure.js": ["serializeFunction", "serializeFunctionAsync"],
    "runtime/closure/codePaths.js": ["computeCodePaths"],
};

/** Defers loading these modules until a property of one is first used. */
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
        // Imports read this property before anything is used.
        const known = { __esModule: true };
        for (const each of functions) known[each] = (...args) => load()[each](...args);
        module.exports = new Proxy(known, {
            get: (_, key) => (Object.hasOwn(known, key) ? known[key] : load()[key]),
            has: (_, key) => key in load(),
            ownKeys: () => Reflect.ownKeys(load()),
            getOwnPropertyDescriptor: (_, key) => {
                const found = Reflect.getOwnPropertyDescriptor(load(), key);
                // A proxy may not report a property as non-configurable if its target does not have it.
                return found && { ...found, configurable: true };
            },
        });
        require.cache[file] ??= module;
    }
};
