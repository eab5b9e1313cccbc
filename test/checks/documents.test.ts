import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { valuesOf } from "../../offline/stackFile";
import { BY_STRATEGY, catalogue } from "../../runbook/catalogue";
import { flagOf, parametersOf } from "../../runbook/parameters";
import { root } from "../support";

/* What the documents tell people to type is tried, as a shell reads it, or needs an account: README says which. */

const documents = ["README.md", "CONTRIBUTING.md", ...pagesOf("docs"), ...pagesOf("docs/decisions")];
const texts = new Map(documents.map((file) => [file, readFileSync(join(root, file), "utf8")]));
const { scripts: npmScripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
};

/** README's mark: what begins like this needs an account, a cluster or a registry. */
const MARK = /<!-- needs an account -->\n\n([^]+?) need an account/;
const needing = [...MARK.exec(texts.get("README.md")!)![1]!.matchAll(/`([^`]+)`/g)].map(
    ([, words]) => words!,
);

/** What any machine has, beside what the commands read or write. */
const PLAIN = ["date", "grep", "openssl req", "rm", "zcat"];

/** What runs a command, and what is tried here of those in the documents. */
interface Trial {
    by: string;
    as: string;
    here?: (words: string[]) => void;
}

/** How the other commands are tried. */
const tried: Record<string, Trial> = {
    "npm ci": { by: ".ci/run", as: "npm ci" },
    "npm test": { by: ".ci/run", as: "npm test" },
    "npm run check": { by: ".ci/run", as: "npm run -s check" },
    "npm run precommit": { by: "package.json", as: "npm run -s precommit" },
    "npm run test:cli": { by: "test/all.cjs", as: '"cli"' },
    "npm run test:jobs": { by: "test/all.cjs", as: '"jobs"' },
    "npm run test:all": { by: "package.json", as: "node test/all.cjs" },
    "npm run test:cluster": { by: ".ci/run", as: "npm run -s test:cluster" },
    "npm run test:build": { by: "package.json", as: "test/build.ts" },
    "npm run test:engine": { by: ".ci/run", as: "npm run -s test:engine" },
    "npm run test:engine:all": { by: ".github/workflows/nightly.yml", as: "npm run test:engine:all" },
    "npm run test:scanners:install": { by: ".ci/run", as: "npm run -s test:scanners:install" },
    "npm run test:scanners": { by: ".ci/run", as: "npm run -s test:scanners" },
    "npm run bench": { by: ".ci/run", as: "npm run -s bench" },
    "npm run golden": { by: "test/program/golden.test.ts", as: "golden" },
    "npm run docs": { by: "test/runbook/catalogue.test.ts", as: "renderRunbook" },
    "npm run environment": {
        by: "test/program/environments.test.ts",
        as: 'environmentCommand(folder, ["create"',
    },
    "npm run adopt": { by: "test/program/adopt.test.ts", as: 'run("adopt"' },
    "npm run diagram": { by: "test/program/diagram.test.ts", as: 'run("diagram"' },
    "npm run render": { by: "test/program/render.test.ts", as: 'run("render"' },
    "npm run review": { by: "test/cli/review.test.ts", as: 'reviewed("--base"' },
    "npm run preview": { by: "test/program/preview.test.ts", as: 'run("preview"', here: previews },
    "npm run deploy": { by: "test/cli/deploy.test.ts", as: 'run(["deploy"' },
    "npm run doctor": { by: "test/program/doctor.test.ts", as: 'run("doctor"' },
    "npm run status": { by: "test/unit/status.test.ts", as: 'spawned(["status"' },
    "npm run runbook": { by: "test/cli/runbook.test.ts", as: 'runbook(["list"', here: isProcedure },
};

describe("the documents", () => {
    const scripts = [...texts].flatMap(([file, text]) => scriptsOf(text).map((script) => ({ file, script })));
    const read = commandsOf(scripts.map(({ script }) => script));
    const blocks = scripts.map(({ file }, index) => ({ file, commands: read[index]! }));
    const commands = blocks.flatMap(({ file, commands: all }) =>
        all.map((words) => ({ file, command: words.join(" "), words })),
    );
    const known = [...Object.keys(tried), ...needing, ...PLAIN];
    const startOf = (command: string) =>
        known
            .filter((start) => command === start || command.startsWith(`${start} `))
            .sort((one, other) => other.length - one.length)[0];

    it("hold no command that is neither tried nor marked as needing an account", () => {
        const unknown = commands.filter(({ command }) => startOf(command) === undefined);
        assert.deepEqual(
            unknown.map(({ file, command }) => `${file}: ${command}`),
            [],
        );
    });

    it("hold every command that is tried or marked", () => {
        const starts = commands.map(({ command }) => startOf(command));
        assert.deepEqual(
            known.filter((start) => !starts.includes(start)),
            [],
        );
    });

    for (const [start, { by, as, here }] of Object.entries(tried)) {
        it(`tell of ${start} as ${by} runs it`, () => {
            assert.ok(readFileSync(join(root, by), "utf8").includes(as), `${by} without ${as}`);
            for (const { file, command, words } of commands.filter(
                (each) => startOf(each.command) === start,
            )) {
                within(`${file}: ${command}`, () => here?.(words.slice(start.split(" ").length)));
            }
        });
    }

    it("name only scripts that there are", () => {
        const named = commands.flatMap(({ words }) =>
            words[0] === "npm" && words[1] === "run" ? words[2]! : [],
        );
        assert.deepEqual(
            named.filter((script) => !(script in npmScripts)),
            [],
        );
    });

    it("set only values that the stacks take, all those of a block together", () => {
        for (const { file, commands: block } of blocks.filter(({ commands: all }) => all.length > 1)) {
            const edits = new Map<string, string[]>();
            for (const words of block.filter((each) => /^pulumi config (rm|set)\b/.test(each.join(" ")))) {
                const { values, positionals } = parseArgs({
                    args: words.slice(3),
                    options: {
                        stack: { type: "string" },
                        path: { type: "boolean" },
                        secret: { type: "boolean", default: false },
                    },
                    allowPositionals: true,
                });
                const [path, value] = positionals;
                const { stack } = values;
                assert.ok(stack !== undefined && path !== undefined, `${file}: ${words.join(" ")}`);
                if (values.secret) assert.match(path, /^mcp:(secrets|tls)\./);
                else {
                    // The engine takes no letter for an index, so that nobody copies one of another list.
                    const edit = words[2] === "rm" ? `${path}-` : `${path.replace("[N]", "[]")}=${value}`;
                    edits.set(stack, [...(edits.get(stack) ?? []), edit]);
                }
            }
            for (const [stack, all] of edits) {
                within(`${file}: ${all.join(", ")}`, () => valuesOf(root, stack, { edits: all }));
            }
        }
    });

    it("run only procedures that there are, with parameters that they have", () => {
        const runs = commands.filter(({ command }) => startOf(command) === "npm run runbook -- run");
        assert.ok(runs.length > 0);
        for (const { file, command, words } of runs) {
            within(`${file}: ${command}`, () => isProcedure(words.slice(3)));
        }
    });

    it("lead where there is something", () => {
        const broken = [...texts].flatMap(([file, text]) =>
            [...text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(
                ([link, path, anchor]) => {
                    const target = path === "" ? file : join(dirname(file), path!);
                    if (!existsSync(join(root, target))) return [`${file}: ${link}`];
                    const found = anchor === undefined || anchorsOf(target).includes(anchor);
                    return found ? [] : [`${file}: ${link}`];
                },
            ),
        );
        assert.deepEqual(broken, []);
    });
});

function pagesOf(folder: string): string[] {
    return readdirSync(join(root, folder))
        .filter((name) => name.endsWith(".md"))
        .map((name) => `${folder}/${name}`);
}

/** What is to be typed: blocks of shell, and commands within the text. */
function scriptsOf(text: string): string[] {
    const marked = text.replace(MARK, "");
    const fenced = [...marked.matchAll(/^( *)```(\w*)\n([^]*?)^\1```$/gm)];
    const shell = fenced.flatMap(([, indent, language, lines]) =>
        language === "bash" ? [lines!.replaceAll(new RegExp(`^${indent}`, "gm"), "")] : [],
    );
    const prose = fenced.reduce((rest, [block]) => rest.replace(block, ""), marked);
    const inline = [...prose.matchAll(/`((?:npm|npx|pulumi|aws|kubectl) [^`]+)`/g)].map(
        ([, command]) => command!,
    );
    return [...shell, ...inline];
}

/** The commands of scripts, in words, as bash reads them: where it finds no program at all, it tells what it looked for. */
function commandsOf(scripts: readonly string[]): string[][][] {
    const folder = mkdtempSync(join(tmpdir(), "mcp-documents-"));
    try {
        // What the commands read.
        for (const [, name] of scripts.join("\n").matchAll(/ < ([\w.-]+)/g))
            writeFileSync(join(folder, name!), "");
        const told = `PATH=/nowhere; command_not_found_handle() { printf '%s\\0' "$@" $'\\v' >&3; }`;
        const each = scripts.map((script) => `(\n${script}\n) || exit\nprintf '\\f\\0' >&3`);
        const { output, stderr, status } = spawnSync("/bin/bash", ["-ec", [told, ...each].join("\n")], {
            cwd: folder,
            encoding: "utf8",
            stdio: ["ignore", "pipe", "pipe", "pipe"],
        });
        const read = output[3]!.split("\f\0").slice(0, -1);
        assert.equal(status, 0, `${scripts[read.length]}\n${stderr}`);
        return read.map((commands) =>
            commands
                .split("\v\0")
                .slice(0, -1)
                .map((words) => words.split("\0").slice(0, -1)),
        );
    } finally {
        rmSync(folder, { recursive: true });
    }
}

/** The options of a preview are those it has, and the stack takes its edits. */
function previews(words: readonly string[]): void {
    const { values } = parseArgs({
        args: words.filter((word) => word !== "--"),
        options: {
            stack: { type: "string", default: "production" },
            set: { type: "string", multiple: true, default: [] },
            full: { type: "boolean" },
            filter: { type: "string", multiple: true },
            diff: { type: "boolean" },
            format: { type: "string" },
            "ignore-exceptions": { type: "boolean" },
        },
    });
    valuesOf(root, values.stack, { edits: values.set });
}

/** A procedure is one of the catalogue, and has the parameters that it is given. ID stands for any. */
function isProcedure([, action, id, ...others]: readonly string[]): void {
    if (action === "list" || action === "find" || id === undefined || id === "ID") return;
    const workload = others[others.indexOf("--workload") + 1]!;
    const meant = BY_STRATEGY[id]?.[valuesOf(root, "production").workloads[workload]!.strategy] ?? id;
    const procedure = catalogue.find((each) => each.id === meant);
    assert.ok(procedure !== undefined, "no such procedure");
    const flags = parametersOf(procedure).map(({ name }) => flagOf(name));
    const options = [
        "--stack",
        "--yes",
        "--json",
        "--refresh",
        "--keep-failed",
        "--rollback-on-failure",
        "--to-revision",
        "--commit",
        "--wait",
        "--abort-soak",
    ];
    const given = others.filter((word) => word.startsWith("--"));
    assert.deepEqual(
        given.filter((flag) => ![...flags, ...options].includes(flag)),
        [],
    );
}

function within(where: string, check: () => void): void {
    try {
        check();
    } catch (error) {
        throw new Error(`${where}\n${(error as Error).message}`);
    }
}

/** Where links can lead in a page: its headings, as GitHub names them, and what is named by hand. */
function anchorsOf(file: string): string[] {
    const text = texts.get(file) ?? readFileSync(join(root, file), "utf8");
    const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
        heading!
            .toLowerCase()
            .replaceAll(/[^\w\- ]/g, "")
            .replaceAll(" ", "-"),
    );
    return [...headings, ...[...text.matchAll(/<a id="([^"]+)"/g)].map(([, id]) => id!)];
}
