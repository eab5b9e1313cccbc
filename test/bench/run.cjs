// npm run bench: the figures the project promises, as ratios within one run, because machines differ and are noisy.
"use strict";
const { spawnSync } = require("node:child_process");
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { cpus, tmpdir } = require("node:os");
const { join } = require("node:path");
const { bundle } = require("../../offline/bundle.cjs");

process.chdir(join(__dirname, "..", ".."));
const folder = mkdtempSync(join(tmpdir(), "mcp-bench-"));
const runs = Number(process.argv[2] ?? 9);

/** Runs node with arguments; its CPU time in milliseconds and its peak memory in megabytes. */
function measure(...args) {
    const report = join(folder, "usage.json");
    const hook = join(folder, "usage.cjs");
    const write = `require("node:fs").writeFileSync(${JSON.stringify(report)}, JSON.stringify(process.resourceUsage()))`;
    writeFileSync(hook, `process.on("exit", () => ${write});`);
    const { status, stderr } = spawnSync("node", ["--require", hook, ...args], { encoding: "utf8" });
    if (status !== 0) {
        throw new Error(`node ${args.join(" ")} ended with ${status}:\n${stderr}`);
    }
    const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(readFileSync(report, "utf8"));
    return { cpu: (userCPUTime + systemCPUTime) / 1000, memory: maxRSS / 1024 };
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
    spawnSync("node", ["--require", hook, "offline/main.cjs", "preview"]);
    const program = join(folder, "imports.cjs");
    writeFileSync(program, `for (const file of ${readFileSync(list, "utf8")}) require(file);`);
    return program;
}

/** Runs a bundle that prints one number. */
function figureOf(file, ...flags) {
    const args = [...flags, "-e", `require(${JSON.stringify(file)})`];
    const { status, stdout, stderr } = spawnSync("node", args, { encoding: "utf8" });
    if (status !== 0 || stdout === "") {
        throw new Error(`${file} ended with ${status}:\n${stderr}`);
    }
    return Number(stdout);
}

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const show = (numbers, digits) => {
    const all = sorted(numbers);
    const median = all[Math.floor(all.length / 2)];
    return `${median.toFixed(digits)}  (${all[0].toFixed(digits)} to ${all.at(-1).toFixed(digits)})`;
};

try {
    const imports = importsOfPreview();
    // The recorder alone, on as many workloads as make so many resources.
    const scale = bundle(process.cwd(), "scale", "test/bench/scale.ts");
    const ratios = [];
    const memory = [];
    const growth = [];
    const policies = bundle(process.cwd(), "policies", "test/bench/policies.ts");
    const judging = [];
    for (let run = 0; run < runs; run += 1) {
        const alone = measure(imports);
        const preview = measure("offline/main.cjs", "preview");
        ratios.push(preview.cpu / alone.cpu);
        memory.push(preview.memory);
        growth.push(figureOf(scale));
        // As the command line runs it: without optimized code.
        judging.push(figureOf(policies, "--no-opt"));
    }
    console.log(
        `${cpus().length} processors, ${cpus()[0].model}, Node ${process.version}, ${runs} runs: median (least to most)`,
    );
    console.log(
        `offline preview of production / importing its SDK modules, CPU time   ${show(ratios, 2)}   goal 1.60`,
    );
    console.log(
        `peak memory of that preview, MB                                       ${show(memory, 0)}   goal 250`,
    );
    console.log(
        `time per resource at 2,000 resources / at 200                         ${show(growth, 2)}   goal 1.20`,
    );
    console.log(
        `all policies over production / the offline preview without them       ${show(judging, 2)}   goal 0.30`,
    );
} finally {
    rmSync(folder, { recursive: true });
}
