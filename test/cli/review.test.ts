import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { copyOfProject, root } from "../support";

describe("npm run review", function () {
    // Each review runs the program of two commits.
    this.timeout(180_000);
    let folder: string;
    const git = (...args: string[]) => {
        const identity = [
            "-c",
            "user.name=test",
            "-c",
            "user.email=test@example.com",
            "-c",
            "commit.gpgsign=false",
        ];
        const { status, stderr, stdout } = spawnSync("git", [...identity, ...args], {
            cwd: folder,
            encoding: "utf8",
        });
        assert.equal(status, 0, stderr);
        return stdout.trim();
    };
    const reviewed = (...args: string[]) =>
        spawnSync(process.execPath, ["cli/main.cjs", "review", ...args], {
            cwd: folder,
            encoding: "utf8",
            maxBuffer: 64 * 1024 * 1024,
        });
    const edit = (file: string, from: RegExp, to: string) => {
        const text = readFileSync(join(folder, file), "utf8");
        assert.match(text, from);
        writeFileSync(join(folder, file), text.replace(from, to));
    };

    before(() => {
        folder = copyOfProject();
        cpSync(join(root, "package-lock.json"), join(folder, "package-lock.json"));
        writeFileSync(join(folder, ".gitignore"), "node_modules\n.cache/\n");
        git("init", "--quiet", "--initial-branch", "main");
        git("add", "--all");
        git("commit", "--quiet", "--message", "base");
    });
    after(() => rmSync(folder, { recursive: true, force: true }));
    afterEach(() => void git("checkout", "--quiet", "--", "."));

    it("compares the working tree with a commit, in every format, and leaves nothing behind", () => {
        edit("Pulumi.production.yaml", /min: 2\n {8}max: 6/, "min: 1\n        max: 6");
        const out = join(folder, ".cache", "review");
        const { status, stdout, stderr } = reviewed("--base", "main", "--out", out);
        assert.equal(stderr, "");
        assert.equal(status, 1);
        assert.match(
            stdout,
            /^Refused: 1 new finding, 1 resource changed\nCompared with main \([0-9a-f]{10}\)\.\n/,
        );
        assert.match(stdout, /Stack staging: nothing changes/);
        assert.deepEqual(readdirSync(out).sort(), ["review.json", "review.md", "review.sarif", "review.txt"]);
        const { refused, stacks } = JSON.parse(readFileSync(join(out, "review.json"), "utf8"));
        assert.equal(refused, true);
        assert.equal(stacks[0].changes[0].properties[0].path, "spec.minReplicas");
        assert.equal(git("worktree", "list").split("\n").length, 1);
    });

    it("refuses what the engine refuses, with that on top", () => {
        edit("Pulumi.production.yaml", /(mcp:backups:\n(?: .*\n)*? +bucket: )\S+/, "$1another-bucket");
        const { status, stdout, stderr } = reviewed("--base", "main");
        assert.equal(stderr, "");
        assert.equal(status, 1);
        assert.match(
            stdout,
            /^Refused: 1 change that the engine refuses, 12 new accesses, 7 safeguards removed or changed, no new findings, /,
        );
        assert.match(
            stdout.split("\n").slice(2, 4).join("\n"),
            /^ {2}Refused by the engine.*:\n {4}production: replace aws:s3\/bucket:Bucket mcp-production-backups/,
        );
    });

    it("lets a change that endangers data pass, with that on top", () => {
        edit("Pulumi.staging.yaml", /msil-mcp-staging-backups/, "another-bucket");
        const { status, stdout, stderr } = reviewed("--base", "main");
        assert.equal(stderr, "");
        assert.equal(status, 0);
        assert.match(
            stdout,
            /^Look closely: 1 stateful resource deleted or replaced, 12 new accesses, 7 safeguards removed or changed, no new findings, /,
        );
        assert.match(
            stdout.split("\n").slice(2, 4).join("\n"),
            /^ {2}Data in danger:\n {4}staging: replace aws:s3\/bucket:Bucket mcp-staging-backups/,
        );
    });

    it("reports a base that does not run, and judges the head all the same", () => {
        edit("index.ts", /^/, 'throw new Error("the base is broken");\n');
        git("commit", "--quiet", "--all", "--message", "broken");
        const broken = git("rev-parse", "HEAD");
        git("reset", "--quiet", "--hard", "HEAD~1");
        git("checkout", "--quiet", "--detach", broken);
        git("checkout", "--quiet", "main", "--", ".");
        const { status, stdout } = reviewed("--base", broken);
        git("reset", "--quiet", "--hard");
        git("checkout", "--quiet", "main");
        assert.equal(status, 0);
        assert.match(stdout, /^Look closely: .*production was not compared, /);
        assert.match(stdout, /Was not compared, because the base does not preview:\n.*the base is broken/);
    });

    it("reports a base that cannot be installed, and judges the head all the same", () => {
        git("rm", "--quiet", "package-lock.json");
        git("commit", "--quiet", "--message", "no lock file");
        const broken = git("rev-parse", "HEAD");
        git("checkout", "--quiet", "HEAD~1", "--", ".");
        const { status, stdout, stderr } = reviewed("--base", broken);
        git("reset", "--quiet", "--hard", "HEAD~1");
        assert.equal(stderr, "");
        assert.equal(status, 0);
        assert.match(
            stdout,
            /Was not compared, because the base does not preview:\n.*cannot be installed: it has no package-lock\.json/,
        );
        assert.equal(git("worktree", "list").split("\n").length, 1);
    });

    for (const signal of ["SIGINT", "SIGTERM"] as const) {
        it(`ends with ${signal}, and leaves neither a worktree nor what it started`, async () => {
            // The base says when it runs, and would go on for a minute.
            const running = join(folder, ".cache", "running");
            const waits = `require("node:fs").writeFileSync(${JSON.stringify(running)}, String(process.pid));
                Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);\n`;
            edit("cli/main.cjs", /^"use strict";\n/m, `"use strict";\n${waits}`);
            git("commit", "--quiet", "--all", "--message", "waits");
            git("checkout", "--quiet", "HEAD~1", "--", ".");
            const review = spawn(process.execPath, ["cli/main.cjs", "review", "--base", "main"], {
                cwd: folder,
                stdio: "ignore",
            });
            const ended = once(review, "close");
            while (!existsSync(running)) await setTimeout(20);
            review.kill(signal);
            const [status] = await ended;
            git("reset", "--quiet", "--hard", "HEAD~1");
            assert.equal(status, 130);
            assert.equal(git("worktree", "list").split("\n").length, 1);
            const base = Number(readFileSync(running, "utf8"));
            assert.throws(() => process.kill(base, 0), { code: "ESRCH" });
            rmSync(running);
        });
    }

    it("refuses a head that does not preview, with what is wrong", () => {
        edit("Pulumi.staging.yaml", /mcp:environment: staging/, "mcp:environment: qa");
        const { status, stdout } = reviewed("--base", "main");
        assert.equal(status, 1);
        assert.match(stdout, /^Refused: staging does not preview, /);
        assert.match(stdout, /mcp:tier: found nothing, expected production or trial/);
    });

    const bad: [what: string, args: string[], message: RegExp][] = [
        [
            "an unknown base",
            ["--base", "nowhere"],
            /^--base: found "nowhere", expected a commit, branch or tag/,
        ],
        ["an option for a base", ["--base", "--all"], /--base/],
        [
            "an unknown format",
            ["--format", "xml"],
            /^--format: found "xml", expected one of text, markdown, json, sarif/,
        ],
        [
            "a state without its stack",
            ["--against", "state.json"],
            /^--stack: found nothing, expected one of/,
        ],
        [
            "a state that is not there",
            ["--against", "nowhere.json", "--stack", "production"],
            /^--against: nowhere\.json: found no readable file \(ENOENT\)/,
        ],
    ];
    for (const [what, args, message] of bad) {
        it(`refuses ${what}, in plain words`, () => {
            const { status, stdout, stderr } = reviewed(...args);
            assert.equal(status, 1);
            assert.equal(stdout, "");
            assert.match(stderr, message);
            assert.doesNotMatch(stderr, /^\s+at /m);
        });
    }
});
