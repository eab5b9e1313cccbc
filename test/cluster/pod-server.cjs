// A service as test/cluster/pod-runner.ts runs it for a pod: HTTP at the address and port of its arguments. On SIGTERM it
// drains: it takes no new connection, ends each connection with its next answer, and exits when there is none left. With
// DRAIN=no in its environment, it exits at once.
const { createServer } = require("node:http");
const { Server } = require("node:net");

const [host, port, name] = process.argv.slice(2);
const ANSWER_MILLISECONDS = 100;
let draining = false;

const server = createServer((request, response) => {
    setTimeout(() => {
        if (draining) response.setHeader("connection", "close");
        response.end(name);
    }, ANSWER_MILLISECONDS);
});
// Longer than any pause between two requests of the tests, so that the server never ends a connection that is in use.
server.keepAliveTimeout = 60_000;
server.listen(Number(port), host, () => process.send?.("ready"));

process.on("SIGTERM", () => {
    if (process.env.DRAIN === "no") process.exit();
    draining = true;
    // Not the method of the HTTP server, which would also end connections that are idle at this moment.
    Server.prototype.close.call(server, () => process.exit());
});
// A runner that is killed cannot end its servers.
process.on("disconnect", () => process.exit());
