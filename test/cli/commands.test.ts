import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyOfProject, root, spawned } from "../support";

/* Commands as a user starts them. What they print in detail is tested in `test/program`, in one process. */

describe("npm run preview", () => {
    it("shows a stack, and ends with the status of what it found", () => {
        const { status, stdout, stderr } = spawned(["preview"]);
        assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
        assert.match(stdout, /^Offline preview of mcp\/production: [^]*^total .* \+ \d+ to create/m);
        assert.equal(spawned(["preview", "--set", "mcp:archive.bucket=another-bucket"]).status, 1);
    });

    it("refuses bad input in one message, without a stack trace", () => {
        const { status, stdout, stderr } = spawned(["preview", "--stack", "qa"]);
        assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
        assert.equal(
            stderr,
            '--stack: found "qa", expected one of production, staging\nOptions: npm run preview -- --help\n',
        );
    });

    for (const [what, edit, expected] of [
        ["accepted", "mcp:workloads.chat-ui.scaling.min=3", 0],
        ["refused", "mcp:archive.bucket=another-bucket", 1],
    ] as const) {
        it(`ends quietly when the pipe is closed, with the status of what is ${what}`, async () => {
            const args = ["cli/main.cjs", "preview", "--format", "json", "--set", edit];
            const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
            // As head does at once.
            child.stdout.destroy();
            let stderr = "";
            child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
            const [status] = await once(child, "close");
            assert.deepEqual({ status, stderr }, { status: expected, stderr: "" });
        });
    }
});

describe("a checkout whose packages are not installed", () => {
    let folder: string;
    before(() => (folder = copyOfProject()));
    after(() => rmSync(folder, { recursive: true }));

    it("says so in one line, whatever the command", () => {
        rmSync(join(folder, "node_modules"));
        for (const args of [["preview"], ["runbook", "list"]]) {
            const { status, stdout, stderr } = spawned(args, folder);
            assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
            assert.match(
                stderr,
                /^node_modules: \S+: found nothing, expected \S+ \(and \d+ more\)\. Run npm ci\.\n$/,
            );
        }
    });
});

describe("npm run images", () => {
    let folder: string;
    before(() => (folder = copyOfProject()));
    after(() => rmSync(folder, { recursive: true }));

    it("pins no image it cannot resolve, and says why without a stack trace", () => {
        const file = join(folder, "Pulumi.production.yaml");
        const text = readFileSync(join(root, "Pulumi.production.yaml"), "utf8")
            .replace("region:", 'accountId: "111122223333"\n    region:')
            .replace("pins: {}", "pins: {}\n    registry: 127.0.0.1:1")
            .replaceAll("public.ecr.aws/", "127.0.0.1:1/");
        writeFileSync(file, text);
        const { status, stderr } = spawned(["images", "pin", "--stack", "production"], folder);
        assert.equal(status, 1);
        assert.match(stderr, /^9 of 9 images not resolved, .* is unchanged:\n {2}127\.0\.0\.1:1\/aws-cli/);
        assert.doesNotMatch(stderr, /^\s+at /m);
        assert.equal(readFileSync(file, "utf8"), text);
    });
});

describe("a program that waits for a value that never comes", () => {
    let folder: string;
    before(() => (folder = copyOfProject()));
    after(() => rmSync(folder, { recursive: true }));

    it("fails, and says so", () => {
        writeFileSync(join(folder, "index.ts"), "export = new Promise(() => undefined);\n");
        const { status, stdout, stderr } = spawned(["preview"], folder);
        const expected = {
            status: 1,
            stdout: "",
            stderr: "The program waits for a value that never comes.\n",
        };
        assert.deepEqual({ status, stdout, stderr }, expected);
    });
});

describe("a program with siblings that depend on the component that contains them", () => {
    let folder: string;
    before(() => (folder = copyOfProject()));
    after(() => rmSync(folder, { recursive: true }));

    it("fails, and names them", () => {
        writeFileSync(
            join(folder, "index.ts"),
            `import { ComponentResource, CustomResource } from "@pulumi/pulumi";
            const group = new ComponentResource("test:index:Group", "group");
            for (const name of ["one", "two"]) {
                new CustomResource("test:index:Thing", name, {}, { parent: group, dependsOn: [group] });
            }
            export = {};
            `,
        );
        const { status, stderr } = spawned(["preview"], folder);
        const cycle = (name: string) => `${name} (test:index:Thing) depends on group, which contains it`;
        assert.equal(
            stderr,
            `The program waits for a value that never comes: ${cycle("one")}; ${cycle("two")}.\n`,
        );
        assert.equal(status, 1);
    });
});

describe("the commands", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
        scripts: Record<string, string>;
    };
    // All but the tests and what checks or formats the sources.
    const commands = Object.entries(scripts).filter(([name]) => !/^(test|check|format|precommit)/.test(name));

    for (const [name, script] of commands) {
        it(`explain themselves: ${name}`, () => {
            const { status, stdout } = spawnSync("sh", ["-c", `${script} --help`], {
                cwd: root,
                encoding: "utf8",
            });
            assert.equal(status, 0);
            // What it does comes first.
            assert.match(stdout, new RegExp(`^[A-Z][^\\n]{20,}\\.\\n\\nUsage: npm run ${name}\\b`));
            assert.match(stdout, /\n {2}--help +this text\n/);
        });
    }

    for (const [args, found] of [
        [["preview", "staging"], /^Unexpected argument 'staging'/],
        [["review", "--bas", "main"], /^Unknown option '--bas', expected one of --base, /],
        [["preview", "--stack"], /^Option '--stack <value>' argument missing$/m],
        [["releases", "lst"], /^found "lst", expected list or restore$/m],
        [["images"], /^found nothing, expected pin$/m],
        [["preview", "--stack", "qa"], /^--stack: found "qa", expected one of /],
        [["environment", "create", "Qa", "--from", "staging"], /^NAME: found "Qa", expected /],
        [["deploy", "destroy"], /^found "destroy", expected plan or apply$/m],
    ] as const) {
        it(`lead from a wrong argument to their own help: ${args.join(" ")}`, () => {
            const { status, stdout, stderr } = spawned([...args]);
            assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
            assert.match(stderr, found);
            assert.ok(stderr.endsWith(`\nOptions: npm run ${args[0]} -- --help\n`), stderr);
        });
    }

    it("say what there is where one is unknown", () => {
        const { status, stdout, stderr } = spawned(["constructor"]);
        assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
        assert.match(
            stderr,
            /^found the command "constructor", expected one of preview, .*review.*\nWhat each does: npm run COMMAND -- --help\n$/,
        );
    });
});
