// Loaded into each program the job runner starts, before the program itself. It gives the program two things of a
// container that a plain process lacks: the cluster's host names, and files at the paths of its volume mounts.
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");
const net = require("node:net");

const { hosts, mounts, folder: own } = JSON.parse(process.env.MCP_JOB_RUNNER);

// Every TCP and TLS connection of Node (http, https and fetch too) ends up in this one method.
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
    const [first] = args;
    const options = Array.isArray(first) ? first[0] : first;
    const target = hosts[`${options?.host}:${options?.port}`] ?? hosts[options?.host];
    if (target && Array.isArray(first)) first[0] = { ...options, ...target };
    else if (target) args[0] = { ...options, ...target };
    return connect.apply(this, args);
};

const mapped = (path) => {
    // A mount's path leads to the folder that replaces it, which may itself be below a mount: /tmp.
    if (typeof path !== "string" || path.startsWith(`${own}/`)) return path;
    for (const [mount, folder] of mounts) {
        if (path === mount || path.startsWith(`${mount}/`)) return folder + path.slice(mount.length);
    }
    return path;
};
for (const api of [fs, fs.promises]) {
    for (const [name, original] of Object.entries(api)) {
        // Capitals are classes and constants, and `promises` is no function.
        if (typeof original !== "function" || /^[A-Z_]/.test(name)) continue;
        const wrapper = function (path, ...rest) {
            // The number of arguments is kept: some functions count them.
            return arguments.length === 0 ? original.call(this) : original.call(this, mapped(path), ...rest);
        };
        api[name] = Object.defineProperties(wrapper, Object.getOwnPropertyDescriptors(original));
    }
}
syncBuiltinESMExports();
