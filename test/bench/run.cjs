// npm run bench: the figures the project promises, as ratios within one run, because machines differ and are noisy.
"use strict";
const { spawnSync } = require("node:child_process");
const { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } = require("node:fs");
const { cpus, tmpdir, totalmem } = require("node:os");
const { join } = require("node:path");
const { parseArgs } = require("node:util");
const { bundle } = require("../../build/bundle.cjs");
const { compared } = require("./compare.cjs");

const HELP = `Measures speed and memory of the offline commands as ratios within one run, and compares them with another run.

Usage: npm run bench -- [options]

Exit status: 0, or 1 for bad input.

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

/** Runs node to its end, within five minutes: a command that waits forever fails here. Returns what it prints. */
function node(args, { cwd = process.cwd(), env = {} } = {}) {
    const { status, signal, stdout, stderr } = spawnSync("node", args, {
        cwd,
        encoding: "utf8",
        env: { ...process.env, ...env },
        maxBuffer: 2 ** 26,
        timeout: 300_000,
    });
    if (status !== 0) {
        throw new Error(`node ${args.join(" ")} ended with ${status ?? signal}:\n${stderr}`);
    }
    return stdout;
}

/** Runs node with arguments; its CPU time in milliseconds and its peak memory in megabytes. */
function measure(args, options) {
    const report = join(folder, "usage.json");
    const hook = join(folder, "usage.cjs");
    const write = `require("node:fs").writeFileSync(${JSON.stringify(report)}, JSON.stringify(process.resourceUsage()))`;
    writeFileSync(hook, `process.on("exit", () => ${write});`);
    node(["--require", hook, ...args], options);
    const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(readFileSync(report, "utf8"));
    return { cpu: (userCPUTime + systemCPUTime) / 1000, memory: maxRSS / 1024 };
}

/** A time of the program that no run had before: nothing that is recorded at it is in the cache. */
let second = Date.now();
const freshTime = () => ({ env: { MCP_NOW: new Date((second += 1000)).toISOString() } });

/** A reason to restart that no run has had. */
let reasons = 0;
const freshReason = () => `bench-${(reasons += 1)}`;

/** Runs a bundle that prints its figures. */
function figureOf(file, flags = [], options = {}) {
    return JSON.parse(node([...flags, "-e", `require(${JSON.stringify(file)})`], options));
}

/** What is measured, each with what it is to stay below. */
function figures() {
    const [scale, warm, policies, bare] = ["scale", "warm", "policies", "bare"].map((name) =>
        bundle(process.cwd(), `test/bench/${name}.ts`),
    );
    const preview = ["cli/main.cjs", "preview"];
    const bareProgram = join(folder, "bare");
    // As the command line starts: without optimized code, and with as little of the SDK.
    const start = `require("./build/lazySdk.cjs").putOff(process.cwd()); require(${JSON.stringify(bare)})`;
    const previewBare = ["--no-opt", "-e", start, bareProgram];
    // Written and bundled before it is measured.
    node(previewBare);
    let imports, time, first, scaled;
    return [
        {
            name: "offline preview of production / importing the SDK, CPU time",
            goal: 1.6,
            measure: () => {
                imports = measure(["-e", 'require("@pulumi/pulumi")']);
                time = freshTime();
                first = measure(preview, time);
                return first.cpu / imports.cpu;
            },
        },
        {
            name: "the same with nothing changed since / importing the SDK, CPU time",
            goal: 0.6,
            measure: () => measure(preview, time).cpu / imports.cpu,
        },
        {
            name: "the same with one value set / importing the SDK, CPU time",
            goal: 1.9,
            measure: () =>
                measure([...preview, "--set", `mcp:workloads.chat-ui.restart=${freshReason()}`], time).cpu /
                imports.cpu,
        },
        {
            name: "offline preview of production / of a bare program with as many resources, CPU time",
            goal: 1.4,
            measure: () => first.cpu / measure(previewBare).cpu,
        },
        { name: "peak memory of that preview, MB", goal: 180, measure: () => first.memory },
        {
            name: "recording of production in a warm process, CPU time in ms",
            goal: 500,
            measure: () => figureOf(warm, ["--max-semi-space-size=64"]),
        },
        {
            name: "CPU time per resource at 2,000 resources / at 200",
            goal: 1.1,
            measure: () => {
                scaled = figureOf(scale);
                return scaled[0];
            },
        },
        { name: "CPU time per resource at 10,000 resources / at 2,000", goal: 1.1, measure: () => scaled[1] },
        {
            name: "all policies over production / the offline preview without them",
            goal: 0.3,
            // As the command line runs it: without optimized code. The preview records the stack itself.
            measure: () => figureOf(policies, ["--no-opt"], freshTime()),
        },
        ...reviews(),
    ];
}

/** A review asks for a commit: a copy without its history has none. */
function reviews() {
    if (spawnSync("git", ["rev-parse", "--verify", "HEAD"]).status !== 0) return [];
    const cwd = join(folder, "clone");
    spawnSync("git", ["clone", "--quiet", "--shared", ".", cwd]);
    symlinkSync(join(process.cwd(), "node_modules"), join(cwd, "node_modules"));
    const file = join(cwd, "Pulumi.production.yaml");
    const values = readFileSync(file, "utf8");
    const elapsed = (...args) => {
        const start = performance.now();
        node(["cli/main.cjs", ...args], { cwd });
        return performance.now() - start;
    };
    elapsed("review", "--base", "HEAD");
    const row = {
        name: "review of a changed value, its base recorded before / the offline preview of it, elapsed time",
        goal: 1.5,
        measure: () => {
            const changed = () =>
                writeFileSync(
                    file,
                    values.replace(/^ {4}chat-ui:\n/m, `$&      restart: ${freshReason()}\n`),
                );
            changed();
            const review = elapsed("review", "--base", "HEAD");
            changed();
            return review / elapsed("preview");
        },
    };
    return [row];
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
