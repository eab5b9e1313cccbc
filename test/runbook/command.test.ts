import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { catalogue } from "../../runbook/catalogue";
import { copyOfProject } from "../support";

describe("npm run runbook", () => {
    let folder: string;
    let file: string;
    let original: string;
    let calls: string;
    before(() => {
        folder = copyOfProject();
        file = join(folder, "Pulumi.production.yaml");
        calls = join(folder, "calls.log");
        const bin = join(folder, "bin");
        mkdirSync(bin);
        const script = `#!/bin/sh\nexec '${process.execPath}' '${join(__dirname, "pulumi.cjs")}' "$@"\n`;
        writeFileSync(join(bin, "pulumi"), script);
        chmodSync(join(bin, "pulumi"), 0o755);
        original = readFileSync(file, "utf8");
    });
    after(() => rmSync(folder, { recursive: true }));
    beforeEach(() => {
        writeFileSync(file, original);
        for (const each of [calls, `${calls}.failed`]) {
            rmSync(each, { force: true });
        }
    });

    const RESTART = ["run", "restart", "--restart", "INC-1"];

    /** Runs the command as a pipeline does; `fails` names what the engine fails at, null that there is none. */
    function runbook(args: readonly string[], fails: string | null = "") {
        const node = dirname(process.execPath);
        const tools = [node, "/usr/bin", "/bin"].filter((path) => !existsSync(join(path, "pulumi")));
        const path = [...(fails === null ? [] : [join(folder, "bin")]), ...tools].join(delimiter);
        const result = spawnSync(process.execPath, ["offline/main.cjs", "runbook", ...args], {
            cwd: folder,
            encoding: "utf8",
            maxBuffer: 64 * 1024 * 1024,
            env: { ...process.env, PATH: path, CALLS: calls, FAILS: fails ?? "" },
        });
        const text = readFileSync(file, "utf8");
        const called = existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [];
        return { ...result, called, set: text.startsWith(original) ? text.slice(original.length) : text };
    }

    it("lists every procedure, as data too", () => {
        const lines = runbook(["list"]).stdout.trim().split("\n");
        assert.deepEqual(
            lines.map((line) => line.split(" ")[0]),
            catalogue.map(({ id }) => id),
        );
        const data = JSON.parse(runbook(["list", "--json"]).stdout) as { id: string }[];
        assert.deepEqual(
            data.map(({ id }) => id),
            catalogue.map(({ id }) => id),
        );
    });

    it("shows one, with its parameters as data", () => {
        const { stdout } = runbook(["show", "database-recovery"]);
        assert.match(stdout, /^## Point-in-time recovery/);
        assert.match(
            stdout,
            /npm run runbook -- run database-recovery --restore-time 2026-01-31T10:30:00\+05:30/,
        );
        assert.match(
            runbook(["show", "high-error-rate"]).stdout,
            /Alarms that lead here:.* \[error-rate-major\].* \(P2\)/,
        );
        const { parameters, alarms } = JSON.parse(runbook(["show", "restart", "--json"]).stdout);
        assert.deepEqual(alarms, []);
        assert.deepEqual(
            parameters.map(({ flag, default: value }: { flag: string; default?: string }) => [flag, value]),
            [
                ["--workload", "mcp-server"],
                ["--restart", undefined],
            ],
        );
    });

    it("plans offline, without an engine and without changing anything", () => {
        const { status, stdout, set } = runbook(["plan", "restart", "--restart", "INC-1"], null);
        assert.equal(status, 0);
        assert.match(
            stdout,
            /Compared with Pulumi\.production\.yaml: mcp:workloads\.mcp-server\.restart=INC-1/,
        );
        assert.match(stdout, /~ 2 to update/);
        assert.equal(set, "");
    });

    const bad: [what: string, args: string[], message: RegExp][] = [
        ["no action", [], /^$/],
        ["an unknown action", ["do", "restart"], /found "do", expected list, show, plan or run/],
        ["an unknown procedure", ["plan", "reboot"], /found "reboot", expected one of:\n[^]*restart/],
        ["a parameter that is missing", ["plan", "restart"], /^--restart: found nothing, expected anything/],
        ["every one that is missing", ["plan", "standard-deployment"], /^--workload: [^]*\n--version: /],
        ["an empty one", ["plan", "restart", "--restart", ""], /^--restart: found "", expected a value/],
        ["an unknown one", ["plan", "restart", "--reason", "x"], /Unknown option '--reason'/],
        [
            "a value that the stack refuses",
            ["plan", "scale-up", "--min", "99"],
            /scaling\.max: found 12, expected at least/,
        ],
        [
            "a stack there is none of",
            ["plan", "restart", "--restart", "x", "--stack", "qa"],
            /--stack: found "qa"/,
        ],
        [
            "a procedure with nothing to set",
            ["run", "autoscaling", "--yes"],
            /autoscaling has no value to set/,
        ],
        ["a run that nobody can confirm", ["run", "restart", "--restart", "x"], /^--yes: found nothing/],
        [
            "to go back where there is no way",
            [...RESTART, "--yes", "--rollback-on-failure"],
            /^--rollback-on-failure: /,
        ],
        ["a revision of what has none", [...RESTART, "--yes", "--to-revision", "3"], /^--to-revision: /],
    ];
    for (const [what, args, message] of bad) {
        it(`refuses ${what}, in plain words`, () => {
            const { status, stderr, set, called } = runbook(args);
            assert.equal(status, 1);
            assert.match(stderr, message);
            assert.doesNotMatch(stderr, /^\s+at /m);
            assert.deepEqual([set, called], ["", []]);
        });
    }

    it("says how to get an engine where there is none, and changes nothing", () => {
        const { status, stderr, set } = runbook([...RESTART, "--yes"], null);
        assert.equal(status, 3);
        assert.match(stderr, /no Pulumi CLI on the PATH[^]*npx pulumi@/);
        assert.equal(set, "");
    });

    it("sets the values, previews and updates", () => {
        const { status, stdout, called, set } = runbook([...RESTART, "--yes"]);
        assert.equal(status, 0);
        assert.deepEqual(
            called.filter((line) => /^(config|preview|up)/.test(line)).map((line) => line.split(" ")[0]),
            ["config", "preview", "up"],
        );
        assert.equal(set, "# set: mcp:workloads.mcp-server.restart=INC-1\n");
        assert.match(stdout, /update kubernetes:apps\/v1:Deployment mcp-server-blue, done/);
    });

    it("tells the result as JSON, and everything else aside", () => {
        const { stdout } = runbook([...RESTART, "--yes", "--json"]);
        const { outcome, changes, edits } = JSON.parse(stdout);
        assert.deepEqual(
            [outcome, changes, edits],
            [
                "done",
                ["update kubernetes:apps/v1:Deployment mcp-server-blue"],
                ["mcp:workloads.mcp-server.restart=INC-1"],
            ],
        );
    });

    it("changes nothing when the engine's preview fails, or does not know the stack", () => {
        const refused = runbook([...RESTART, "--yes"], "preview");
        assert.equal(refused.status, 1);
        assert.match(refused.stderr, /nothing was changed\.\n✗ GET \/health: found 503/);
        assert.equal(refused.set, "");
        const unknown = runbook([...RESTART, "--yes"], "stack");
        assert.equal(unknown.status, 1);
        assert.match(unknown.stderr, /does not find the stack production: error: no stack named/);
        assert.equal(unknown.set, "");
    });

    it("keeps the values when the update fails, and says why it did", () => {
        const { status, stderr, set } = runbook([...RESTART, "--yes"], "up");
        assert.equal(status, 4);
        assert.match(
            stderr,
            /The update failed\. The stack file keeps the values[^]*✗ GET \/health: found 503/,
        );
        assert.match(set, /^# set: /);
    });

    it("takes a release back when it fails and is asked to", () => {
        const release = ["run", "scale-up", "--min", "6", "--yes", "--rollback-on-failure"];
        const { status, stderr, set, called } = runbook(release, "up once");
        assert.equal(status, 5);
        assert.match(stderr, /back at the values before it:\n✗ GET \/health: found 503/);
        assert.equal(set, "");
        assert.equal(called.filter((line) => line.startsWith("up")).length, 2);
    });

    it("says so when the way back fails too", () => {
        const release = ["run", "scale-up", "--min", "6", "--yes", "--rollback-on-failure"];
        const { status, stderr } = runbook(release, "up");
        assert.equal(status, 4);
        assert.match(stderr, /The way back failed too: ✗ GET/);
    });
});
