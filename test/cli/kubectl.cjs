// Fake kubectl for the tests of the stack's lock. CLUSTER is a file with the active Jobs, the release history, and the
// number of further checks that see the Jobs; then, or when a release is aborted, the update of the Jobs ends and
// releases its lock.
"use strict";
const { appendFileSync, readFileSync, rmSync, writeFileSync } = require("node:fs");

const [verb, what, ...args] = process.argv.slice(2);
const cluster = JSON.parse(readFileSync(process.env.CLUSTER, "utf8"));
appendFileSync(process.env.CALLS, `kubectl ${verb} ${what}\n`);

const end = () => {
    cluster.jobs = [];
    rmSync(process.env.LOCKED, { force: true });
};

if (verb === "get" && what === "jobs") {
    const items = cluster.jobs.map(({ name, owner, annotations }) => ({
        metadata: { name, annotations, ...(owner && { ownerReferences: [{ kind: owner }] }) },
        status: { active: 1, startTime: "2026-11-30T23:10:11Z" },
    }));
    console.log(JSON.stringify({ items }));
    if ((cluster.looks -= 1) === 0) end();
} else if (verb === "get" && what === "configmap") {
    console.log(JSON.stringify({ data: cluster.data }));
} else if (verb === "patch" && what === "configmap") {
    cluster.patch = args[args.indexOf("-p") + 1];
    end();
} else {
    console.error(`the fake kubectl knows no ${verb} ${what}`);
    process.exitCode = 1;
}
writeFileSync(process.env.CLUSTER, JSON.stringify(cluster));
