// Fake Pulumi CLI for the tests of the runbook command: answers the Automation API, logs each call in calls.log, stores
// the given values next to the stack file, fails if FAILS says so, and waits to be interrupted if HANGS does. HISTORY
// has the stack's history, and CHANGES the number of resources that a preview changes. While there is a file LOCKED,
// another update has the lock that it describes.
"use strict";
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require("node:fs");

const [command, ...args] = process.argv.slice(2);
const FAILS = (process.env.FAILS ?? "").split(" ");
appendFileSync(
    process.env.CALLS,
    `${[command, ...args.filter((word) => !word.startsWith("-"))].slice(0, 2).join(" ")}${pack()}\n`,
);

/** The policy pack that is to judge, and that a plan limits the update, as it was asked for. */
function pack() {
    const at = args.indexOf("--policy-pack");
    return `${at < 0 ? "" : ` judged by ${args[at + 1]}`}${args.includes("--plan") ? " within its plan" : ""}`;
}

const step = (kind, op, urn, planning) => ({
    timestamp: 0,
    [kind]: { planning, metadata: { op, urn, type: "kubernetes:apps/v1:Deployment" } },
});

switch (command) {
    case "version":
        // Up to this one the events go to a file, and not to a server.
        console.log("v3.205.0");
        break;
    case "config": {
        // As `config set-all --path --plaintext PATH=VALUE` or `config rm-all --path PATH`: a line that a test can look for.
        const file = `Pulumi.${args[args.indexOf("--stack") + 1]}.yaml`;
        const edits = args.filter((word) => word.startsWith("mcp:"));
        const done = args[0] === "rm-all" ? "removed" : "set";
        writeFileSync(file, `${readFileSync(file, "utf8")}# ${done}: ${edits.join(" ")}\n`);
        break;
    }
    case "preview":
    case "up": {
        if (command === "up" && existsSync(process.env.LOCKED ?? "")) {
            console.error(`error: ${readFileSync(process.env.LOCKED, "utf8")}`);
            process.exitCode = 255;
            break;
        }
        const log = args[args.indexOf("--event-log") + 1];
        // What the other update leaves behind may change what this one does.
        const name =
            process.env.OTHERWISE && !existsSync(process.env.LOCKED) ? "mcp-server-green" : "mcp-server-blue";
        const urn = `urn:pulumi:production::mcp::kubernetes:apps/v1:Deployment::${name}`;
        const again = existsSync(`${process.env.CALLS}.failed`);
        const fails = FAILS.includes(command) && !(again && FAILS.includes("once"));
        if (process.env.HANGS === command && !fails) {
            process.once("SIGINT", () => {
                console.error("error: update canceled");
                process.exit(1);
            });
            setInterval(() => {}, 1000);
            appendFileSync(process.env.CALLS, "hangs\n");
            break;
        }
        const events = ["resourcePreEvent", "resOutputsEvent"].map((kind) =>
            step(kind, "update", urn, command === "preview"),
        );
        if (fails) {
            writeFileSync(`${process.env.CALLS}.failed`, "");
            // By default before anything is done.
            events.splice(FAILS.includes("late") ? 2 : 1, 1, {
                timestamp: 0,
                diagnosticEvent: { severity: "error", message: "✗ GET /health: found 503" },
            });
        } else if (command === "preview") {
            const update = Number(process.env.CHANGES ?? 1);
            events.push({ timestamp: 0, summaryEvent: { resourceChanges: { update, same: 9 } } });
            if (args.includes("--save-plan")) {
                writeFileSync(args[args.indexOf("--save-plan") + 1], "{}");
                console.log("Previewing update (production): a `value`");
            }
        }
        writeFileSync(
            log,
            [...events, { timestamp: 0, cancelEvent: {} }]
                .map((event) => `${JSON.stringify(event)}\n`)
                .join(""),
        );
        process.exitCode = fails ? 1 : 0;
        break;
    }
    case "stack":
        if (FAILS.includes("stack") && args[0] === "select") {
            console.error("error: no stack named 'production' found");
            process.exitCode = 1;
        } else if (args[0] === "output") {
            console.log("{}");
        } else if (args[0] === "history") {
            console.log(process.env.HISTORY ?? "[]");
        }
        break;
    default:
        console.error(`error: the fake pulumi knows no ${command}`);
        process.exitCode = 1;
}
