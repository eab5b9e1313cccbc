// npm run bench: the figures the project promises, as ratios within one run, because machines differ and are noisy.
"use strict";
const { spawnSync } = require("node:child_process");
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { cpus, tmpdir, totalmem } = require("node:os");
const { join } = require("node:path");
const { parseArgs } = require("node:util");
const { bundle } = require("../../build/bundle.cjs");
const { compared } = require("./compare.cjs");

const HELP = `Usage: npm run bench -- [options]

Measures speed and memory of the offline commands as ratios within one run, and compares them with another run. Exit status:
0, or 1 for bad input.

  --runs N          how often each figure is measured; default 9
  --against FILE    the run to compare with; default test/bench/result.json, which is committed
  --save FILE       keeps this run, to compare another one with
  --help            this text
`;

/** The run that is committed. */
const COMMITTED = "test/bench/result.json";

process.chdir(join(__dirname, "..", ".."));
const { runs, against, save } = options();
const folder = mkdtempSync(join(tmpdir(), "mcp-bench-"));

/** Runs node to its end, within two minutes: a command that waits forever fails here. Returns what it prints. */
function node(...args) {
    const { status, signal, stdout, stderr } = spawnSync("node", args, {
        encoding: "utf8",
        maxBuffer: 2 ** 26,
        timeout: 120_000,
    });
    if (status !== 0) {
        throw new Error(`node ${args.join(" ")} ended with ${status ?? signal}:\n${stderr}`);
    }
    return stdout;
}

/** Runs node with arguments; its CPU time in milliseconds and its peak memory in megabytes. */
function measure(...args) {
    const report = join(folder, "usage.json");
    const hook = join(folder, "usage.cjs");
    const write = `require("node:fs").writeFileSync(${JSON.stringify(report)}, JSON.stringify(process.resourceUsage()))`;
    writeFileSync(hook, `process.on("exit", () => ${write});`);
    node("--require", hook, ...args);
    const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(readFileSync(report, "utf8"));
    return { cpu: (userCPUTime + systemCPUTime) / 1000, memory: maxRSS / 1024 };
}

/** How long a command of the project takes, in milliseconds: some work in several processes at once. */
function elapsed(...args) {
    const start = performance.now();
    node("cli/main.cjs", ...args);
    return performance.now() - start;
}

/** A program that imports the very SDK files the preview loads, and does nothing with them. */
function importsOfPreview() {
    const list = join(folder, "files.json");
    const hook = join(folder, "files.cjs");
    const files = `Object.keys(require.cache).filter((file) => file.includes("/node_modules/@pulumi/"))`;
    writeFileSync(
        hook,
        `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(list)}, JSON.stringify(${files})));`,
    );
    node("--require", hook, "cli/main.cjs", "preview");
    const program = join(folder, "imports.cjs");
    writeFileSync(program, `for (const file of ${readFileSync(list, "utf8")}) require(file);`);
    return program;
}

/** Runs a bundle that prints one number. */
function figureOf(file, ...flags) {
    return Number(node(...flags, "-e", `require(${JSON.stringify(file)})`));
}

/** What is measured, each with what it is to stay below. */
function figures() {
    const imports = importsOfPreview();
    // The recorder alone, on as many workloads as make so many resources.
    const scale = bundle(process.cwd(), "test/bench/scale.ts");
    const policies = bundle(process.cwd(), "test/bench/policies.ts");
    const bare = bundle(process.cwd(), "test/bench/bare.ts");
    const bareProgram = join(folder, "bare");
    const previewBare = ["--no-opt", "-e", `require(${JSON.stringify(bare)})`, bareProgram];
    // Written and bundled before it is measured.
    node(...previewBare);
    let preview;
    return [
        {
            name: "offline preview of production / importing its SDK modules, CPU time",
            goal: 1.6,
            measure: () => {
                const alone = measure(imports);
                preview = measure("cli/main.cjs", "preview");
                return preview.cpu / alone.cpu;
            },
        },
        {
            name: "offline preview of production / of a bare program with as many resources, CPU time",
            goal: 1.4,
            measure: () => preview.cpu / measure(...previewBare).cpu,
        },
        { name: "peak memory of that preview, MB", goal: 250, measure: () => preview.memory },
        {
            name: "time per resource at 2,000 resources / at 200",
            goal: 1.2,
            measure: () => figureOf(scale),
        },
        {
            name: "all policies over production / the offline preview without them",
            goal: 0.3,
            // As the command line runs it: without optimized code.
            measure: () => figureOf(policies, "--no-opt"),
        },
        ...reviews(),
    ];
}

/** A review asks for a commit: a copy without its history has none. */
function reviews() {
    const row = {
        // The base has the packages of the head, as it has after the first review of a change to them.
        name: "review against HEAD / the offline preview of production, elapsed time",
        goal: 3,
        measure: () => elapsed("review", "--base", "HEAD") / elapsed("preview"),
    };
    return spawnSync("git", ["rev-parse", "--verify", "HEAD"]).status === 0 ? [row] : [];
}

function options() {
    try {
        const { values } = parseArgs({
            options: {
                runs: { type: "string", default: "9" },
                against: { type: "string", default: COMMITTED },
                save: { type: "string" },
                help: { type: "boolean", default: false },
            },
        });
        if (values.help) {
            process.stdout.write(HELP);
            process.exit(0);
        }
        if (!/^[1-9]\d?$/.test(values.runs))
            throw new Error(`--runs: found "${values.runs}", expected 1 to 99`);
        return { ...values, runs: Number(values.runs), against: readRun(values.against) };
    } catch (error) {
        process.stderr.write(`${error.message}\n`);
        process.exit(1);
    }
}

function readRun(file) {
    try {
        return JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
        throw new Error(`--against: ${file}: found no run (${error.code ?? error.message})`);
    }
}

try {
    const all = figures().map((figure) => ({ ...figure, values: [] }));
    for (let run = 0; run < runs; run += 1) {
        for (const { values, measure: once } of all) values.push(once());
    }
    const result = {
        machine: `${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
        node: process.version,
        figures: all.map(({ name, goal, values }) => {
            const sorted = values.map((value) => Number(value.toPrecision(3))).sort((a, b) => a - b);
            return {
                name,
                goal,
                median: sorted[Math.floor(runs / 2)],
                least: sorted[0],
                most: sorted.at(-1),
            };
        }),
    };
    process.stdout.write(compared(result, against));
    if (save !== undefined) writeFileSync(save, `${JSON.stringify(result, undefined, 2)}\n`);
} finally {
    rmSync(folder, { recursive: true });
}
