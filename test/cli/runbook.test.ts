import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type ApprovalPlan } from "../../jobs/evidence";
import { indexedEdits } from "../../offline/stackFile";
import { catalogue } from "../../runbook/catalogue";
import { editsWith } from "../../runbook/parameters";
import { type RunResult } from "../../cli/runbook/outcome";
import { eventually } from "../cluster/api";
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
    const RECORD = ["--ticket", "CHG-2041", "--approver", "ops-board,data-board", "--rollback-plan", "back"];

    /** `fails` names what the engine fails at, null that there is none; `hangs` what it does not end by itself. */
    function environment(fails: string | null, hangs = ""): NodeJS.ProcessEnv {
        const node = dirname(process.execPath);
        const tools = [node, "/usr/bin", "/bin"].filter((path) => !existsSync(join(path, "pulumi")));
        const path = [...(fails === null ? [] : [join(folder, "bin")]), ...tools].join(delimiter);
        const identity = {
            GIT_CONFIG_COUNT: "1",
            GIT_CONFIG_KEY_0: "user.name",
            GIT_CONFIG_VALUE_0: "Asha Rao",
        };
        return {
            ...process.env,
            ...identity,
            GIT_CONFIG_GLOBAL: "/dev/null",
            PATH: path,
            CALLS: calls,
            FAILS: fails ?? "",
            HANGS: hangs,
        };
    }

    const called = () => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []);

    /** What was added to the stack file. */
    function set(): string {
        const text = readFileSync(file, "utf8");
        return text.startsWith(original) ? text.slice(original.length) : text;
    }

    /** Runs the command as a pipeline does. */
    function runbook(args: readonly string[], fails: string | null = "") {
        const result = spawnSync(process.execPath, ["cli/main.cjs", "runbook", ...args], {
            cwd: folder,
            encoding: "utf8",
            maxBuffer: 64 * 1024 * 1024,
            env: environment(fails),
        });
        return { ...result, called: called(), set: set() };
    }

    /** Runs the command, and asks it to end once the engine hangs. */
    async function terminated(args: readonly string[], hangs: string, fails = "") {
        rmSync(calls, { force: true });
        const child = spawn(process.execPath, ["cli/main.cjs", "runbook", ...args], {
            cwd: folder,
            env: environment(fails, hangs),
            stdio: ["ignore", "ignore", "pipe"],
        });
        let stderr = "";
        child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
        const done = new Promise<number | null>((end) => child.once("close", end));
        await eventually("the engine hangs", () => called().includes("hangs"), 120);
        child.kill("SIGTERM");
        return { status: await done, stderr, set: set() };
    }

    /** What CI says to commands at a terminal. */
    let ci: string | undefined;

    /** Types at a terminal: each key, or line, once what is asked for is there. */
    async function typed(args: readonly string[], ...dialogue: (readonly [asked: RegExp, keys: string])[]) {
        const words = [process.execPath, "cli/main.cjs", "runbook", ...args].map((word) => `'${word}'`);
        const child = spawn("script", ["--quiet", "--return", "--command", words.join(" "), "/dev/null"], {
            cwd: folder,
            env: { ...environment(""), CI: ci },
            stdio: ["pipe", "pipe", "ignore"],
        });
        let screen = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text));
        const done = new Promise<number | null>((end) => child.once("close", end));
        try {
            for (const [asked, keys] of dialogue) {
                await eventually(String(asked), () => asked.test(stripVTControlCharacters(screen)), 120);
                child.stdin.write(keys);
            }
        } catch (error) {
            child.kill();
            throw new Error(`${(error as Error).message}\n${screen}`);
        }
        return { status: await done, screen, set: set() };
    }

    it("lists every procedure, as data too", () => {
        const listed = [...runbook(["list"]).stdout.matchAll(/^ {2}(\S+) {2,}/gm)].map(([, id]) => id!);
        assert.deepEqual(listed.sort(), catalogue.map(({ id }) => id).sort());
        const data = JSON.parse(runbook(["list", "--json"]).stdout) as { id: string }[];
        assert.deepEqual(
            data.map(({ id }) => id),
            catalogue.map(({ id }) => id),
        );
    });

    it("shows one, with its parameters as data", () => {
        const { stdout } = runbook(["show", "database-recovery"]);
        assert.match(stdout, /^Point-in-time recovery/);
        assert.match(
            stdout,
            /npm run runbook -- run database-recovery --restore-time 2026-01-31T10:30:00\+05:30/,
        );
        assert.match(
            runbook(["show", "high-error-rate"]).stdout,
            /Alarms that lead here\n[^]*^ {2}docs\/alarms\.md#error-rate-major \(P2\)$/m,
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

    it("tells the options of one, with what is taken without them", () => {
        const { status, stdout } = runbook(["plan", "restart", "--help"]);
        assert.equal(status, 0);
        assert.match(stdout, /^ {2}--workload {2}the service; without it: mcp-server$/m);
        assert.match(
            stdout,
            /^ {2}--restart {3}a text that it has not had before.*; without it: must be given$/m,
        );
        const page = runbook(["show", "database-switch"]).stdout;
        assert.match(
            page,
            /^ {2}--restore-time {2}the time to go back to.*; without it: what the stack file has$/m,
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

    /** Writes the stack file with something in it replaced. */
    function edited(found: string, replacement: string): void {
        assert.ok(original.includes(found), found);
        writeFileSync(file, original.replace(found, replacement));
    }

    /** What a plan says of a stack file that is edited so. */
    function planned(found: string, replacement: string, ...args: string[]) {
        edited(found, replacement);
        const { status, stdout, stderr } = runbook(["plan", ...args, "--json"], null);
        assert.equal(status, 0, stderr);
        return JSON.parse(stdout) as {
            edits: string[];
            resources: { operation: string; name: string; inputs: { data?: Record<string, string> } }[];
        };
    }

    for (const [what, change] of [
        ["a reason to skip the checklist", "{ version: v1.4.2, skip: first installation }"],
        [
            "approvers of another change",
            "{ version: v1.4.2, ticket: CHG-1, approvers: [alice, bob, eve], rollbackPlan: none, unvalidated: none }",
        ],
    ] as const) {
        it(`takes over nothing of the record before: ${what}`, () => {
            const release = ["--workload", "chat-ui", "--version", "v1.5.0", "--ticket", "CHG-2"];
            const { resources } = planned(
                "change: {version: v1.4.2, skip: first installation}",
                `change: ${change}`,
                ...[
                    "standard-deployment",
                    ...release,
                    "--approver",
                    "carol, dave",
                    "--rollback-plan",
                    "back",
                ],
            );
            const { inputs } = resources.find(({ name }) => name === "chat-ui-evidence-program")!;
            assert.deepEqual((JSON.parse(inputs.data!["plan.json"]!) as ApprovalPlan).change, {
                version: "v1.5.0",
                ticket: "CHG-2",
                // The one who commits.
                author: "Asha Rao",
                approvers: ["carol", "dave"],
                rollbackPlan: "back",
            });
        });
    }

    for (const [id, found, replacement, given, indices] of [
        ["severity-topics", "", "", { severity: "P1", address: "new@msil.com" }, [1]],
        ["escalation", "", "", { level: "L1", address: "new@msil.com" }, [1]],
        ["muted-alarms", "[2027]", "[2027, 2028]", { year: "2029" }, [2]],
        ["certificate-rotation", "[mcp-tls]", "[mcp-old, mcp-tls]", { certificate: "mcp-tls-new" }, [2]],
        // The same command once more, after an update that failed, adds nothing twice.
        ["certificate-rotation", "[mcp-tls]", "[mcp-tls, mcp-tls-new]", { certificate: "mcp-tls-new" }, [1]],
        ["disable-tool", "", "", { tool: "a_tool" }, [0]],
        [
            "disable-tool",
            "config:",
            "config:\n  mcp:disabledTools: [a_tool]",
            { tool: "b, c, a_tool" },
            [1, 2, 0],
        ],
    ] as const) {
        it(`keeps the values of a list: ${id}${replacement && `, ${replacement.split("\n").at(-1)!.trim()}`}`, () => {
            edited(found, replacement);
            const procedure = catalogue.find((each) => each.id === id)!;
            const edits = indexedEdits(folder, "production", editsWith(procedure, given));
            const places = edits.flatMap((edit) => /\[(\d+)\]=/.exec(edit)?.[1] ?? []);
            assert.deepEqual(places.map(Number), indices);
        });
    }

    it("dumps the database of the colour that is released, whichever it is", () => {
        const release = ["--database-change", "true", "--live", "blue"];
        const { resources } = planned("live: blue", "live: green", "database-change", ...release);
        const dumps = resources.filter(({ name }) => /^mcp-server-\w+-dump-program$/.test(name));
        assert.deepEqual(
            dumps.map(({ operation, name }) => [operation, name]),
            [["create", "mcp-server-blue-dump-program"]],
        );
    });

    const bad: [what: string, args: string[], message: RegExp][] = [
        ["no action", [], /^$/],
        ["an unknown action", ["do", "restart"], /found "do", expected list, find, show, plan or run/],
        ["an unknown procedure", ["plan", "reboot"], /found "reboot", expected the id of a procedure/],
        ["a parameter that is missing", ["plan", "restart"], /^--restart: found nothing, expected a text/],
        ["every one that is missing", ["plan", "standard-deployment"], /^--workload: [^]*\n--version: /],
        ["an empty one", ["plan", "restart", "--restart", ""], /^--restart: found "", expected a value/],
        ["an unknown one", ["plan", "restart", "--reason", "x"], /Unknown option '--reason'/],
        [
            "a workload there is none of",
            ["plan", "restart", "--workload", "mcp-sever", "--restart", "x"],
            /^--workload: found "mcp-sever", expected one of admin-portal, chat-ui, mcp-server$/m,
        ],
        [
            "a workload that is released otherwise",
            ["plan", "standard-deployment", "--workload", "mcp-server", "--version", "v1.4.1", ...RECORD],
            /^--workload: found "mcp-server", expected one of admin-portal, chat-ui$/m,
        ],
        [
            "a severity there is none of",
            ["plan", "severity-topics", "--severity", "P5", "--address", "new@msil.com"],
            /^--severity: found "P5", expected one of P1, P2, P3, P4$/m,
        ],
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
        ["a run that cannot be confirmed", ["run", "restart", "--restart", "x"], /^--yes: found nothing/],
        [
            "to go back where there is no way",
            [...RESTART, "--yes", "--rollback-on-failure"],
            /^--rollback-on-failure: /,
        ],
        [
            "to keep what is never taken back",
            [...RESTART, "--yes", "--keep-failed"],
            /^--keep-failed: found with restart, expected with a release/,
        ],
        [
            "a commit where there is no repository",
            [...RESTART, "--yes", "--commit"],
            /^--commit: found .* that are not committed/,
        ],
        [
            "a release of no workload",
            ["plan", "release"],
            /^--workload: found nothing, expected one of admin-portal, /,
        ],
        [
            "a release of a workload there is none of",
            ["run", "rollback", "--workload=constructor", "--yes"],
            /^--workload: found "constructor", expected one of admin-portal, /,
        ],
        [
            "a version that is active already",
            ["plan", "release", "--workload", "chat-ui", "--version", "v1.4.2", ...RECORD],
            /^--version: found "v1\.4\.2", which is active; expected another version/,
        ],
        [
            "a revision beside a version",
            [
                "run",
                "rollback",
                "--workload",
                "chat-ui",
                "--to-revision",
                "2",
                "--version",
                "v1.4.1",
                "--yes",
            ],
            /^--version: found with --to-revision, expected one of the two$/m,
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
        // Neither without the policy pack.
        assert.equal(called.filter((line) => /^(preview|up) .*judged by policies$/.test(line)).length, 2);
        assert.equal(set, "# set: mcp:workloads.mcp-server.restart=INC-1\n");
        assert.match(stdout, /update kubernetes:apps\/v1:Deployment mcp-server-blue, done/);
        // A pipe gets lines alone.
        assert.doesNotMatch(stdout, /\u001b| rollout /);
    });

    it("updates a second time where AWS restores without all settings", () => {
        const restore = ["run", "database-recovery", "--restore-time", "2026-01-31T10:30:00+05:30"];
        const ran = (fails: string) => {
            rmSync(calls, { force: true });
            rmSync(`${calls}.failed`, { force: true });
            writeFileSync(file, original);
            const { status, stdout, stderr, called } = runbook([...restore, "--yes"], fails);
            return { status, stdout, stderr, ups: called.filter((line) => line.startsWith("up")).length };
        };
        const done = ran("");
        assert.deepEqual([done.status, done.ups], [0, 2], done.stderr);
        assert.match(done.stdout, /^Updating once more, to set what AWS leaves out when it restores …$/m);
        // A restore that fails is not updated again.
        const failed = ran("up");
        assert.deepEqual([failed.status, failed.ups], [4, 1], failed.stderr);
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

    it("rolls back a failed update with the option", () => {
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

    it("interrupts the engine on a signal, and keeps the values of an update that had begun", async () => {
        const early = await terminated([...RESTART, "--yes"], "preview");
        assert.deepEqual([early.status, early.set], [130, ""]);
        assert.match(early.stderr, /^Interrupted: nothing was changed\.$/m);
        const late = await terminated([...RESTART, "--yes"], "up");
        assert.equal(late.status, 130);
        assert.match(late.stderr, /^Interrupted: what was done stays done, and .* --refresh goes on\.$/m);
        assert.match(late.set, /^# set: /);
    });

    it("reports a signal during the rollback", async () => {
        const release = ["run", "scale-up", "--min", "6", "--yes", "--rollback-on-failure"];
        const { status, stderr, set } = await terminated(release, "up", "up once");
        assert.deepEqual([status, set], [130, ""]);
        assert.match(
            stderr,
            /✗ GET \/health: found 503\nThe way back was interrupted: pulumi up --stack production --policy-pack policies --refresh goes on/,
        );
    });

    const hasTerminal = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes(
        "util-linux",
    );
    const suite = hasTerminal ? describe : describe.skip;
    suite(`at a terminal${hasTerminal ? "" : " (skipped: there is no script of util-linux on PATH)"}`, () => {
        it("asks for what is missing and whether to go on", async () => {
            const asked = [/a text that it has not had[^\n]*: /, "INC-7\r"] as const;
            const declined = await typed(["run", "restart"], asked, [/Update production\?/, "no\r"]);
            assert.deepEqual([declined.status, declined.set], [2, ""]);
            assert.match(declined.screen, /Not confirmed: nothing was changed\./);
            const agreed = await typed(["run", "restart"], asked, [/Update production\?/, "yes\r"]);
            assert.equal(agreed.status, 0, agreed.screen);
            assert.equal(agreed.set, "# set: mcp:workloads.mcp-server.restart=INC-7\n");
            // What is waited for is written over: nothing of it is left.
            const waited = agreed.screen.indexOf("mcp-server-blue  rollout  0 s, at most 5 min");
            assert.ok(waited > 0, agreed.screen);
            assert.ok(agreed.screen.indexOf("\u001b[1A\u001b[J", waited) > waited);
        });

        it("asks what is looked for, and shows what is chosen", async () => {
            const prompt = /503[^]*other words\r?\n> /;
            const { status, screen } = await typed(
                [],
                [/Enter lists all\.\r?\n> /, "xylophone\r"],
                [/Nothing found[^]*An id, or words\r?\n> /, "503\r"],
                [prompt, "1\r"],
            );
            assert.equal(status, 0, screen);
            assert.match(screen, / 1 {2}high-error-rate +High error rate/);
            assert.match(stripVTControlCharacters(screen), /^Look\r?\n +kubectl logs /m);
            const ended = await typed([], [/Enter lists all\.\r?\n> /, "\x03"]);
            assert.equal(ended.status, 130, ended.screen);
        });

        it("asks no pipeline, though it may have a terminal", async () => {
            ci = "true";
            try {
                const { status, screen } = await typed([]);
                assert.equal(status, 1);
                assert.match(screen, /^Finds, shows, plans and runs /);
            } finally {
                ci = undefined;
            }
        });

        for (const [keys, key] of [
            ["Ctrl-C", "\x03"],
            ["Ctrl-D", "\x04"],
        ] as const) {
            it(`changes nothing when ${keys} is the answer`, async () => {
                const atFirst = await typed(["run", "restart"], [/a text that it has not had[^\n]*: /, key]);
                assert.deepEqual([atFirst.status, atFirst.set], [130, ""], atFirst.screen);
                const atLast = await typed(RESTART, [/Update production\?/, key]);
                assert.deepEqual([atLast.status, atLast.set], [130, ""], atLast.screen);
                for (const { screen } of [atFirst, atLast]) {
                    assert.match(screen, /Interrupted: nothing was changed\./);
                    assert.doesNotMatch(screen, /^\s+at /m);
                }
            });
        }
    });

    it("tells as JSON what it refuses, too", () => {
        const { status, stdout } = runbook(["run", "scale-up", "--min", "99", "--yes", "--json"]);
        const { outcome, begun, reason } = JSON.parse(stdout) as RunResult;
        assert.deepEqual([status, outcome, begun], [1, "refused", false]);
        assert.match(reason, /scaling\.max: found 12, expected at least/);
    });
});
