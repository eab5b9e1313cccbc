import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { parse } from "yaml";
import { copyOfProject } from "../support";

/* `npm run deploy` with a fake Pulumi CLI, in a separate repository. */

/** What differs between updates of the history. */
interface Entry {
    /** The stack file. */
    text: string;
    startTime: string;
    message: string;
    result: string;
    environment: Record<string, string>;
}

describe("npm run deploy", () => {
    let folder: string;
    let file: string;
    let original: string;
    let calls: string;
    let plan: string;
    let first: string;
    before(() => {
        folder = copyOfProject();
        file = join(folder, "Pulumi.production.yaml");
        calls = join(folder, "bin", "calls.log");
        plan = join(folder, "bin", "plan");
        mkdirSync(join(folder, "bin"));
        const script = `#!/bin/sh\nexec '${process.execPath}' '${join(__dirname, "pulumi.cjs")}' "$@"\n`;
        writeFileSync(join(folder, "bin", "pulumi"), script);
        chmodSync(join(folder, "bin", "pulumi"), 0o755);
        original = readFileSync(file, "utf8");
        writeFileSync(join(folder, ".gitignore"), "bin\nnode_modules\n");
        git("init", "--quiet", "--initial-branch=main");
        first = commit("Begin", original);
    });
    after(() => rmSync(folder, { recursive: true }));
    beforeEach(() => {
        git("switch", "--quiet", "main");
        git("reset", "--quiet", "--hard", first);
        for (const each of [calls, `${calls}.failed`, plan]) rmSync(each, { recursive: true, force: true });
    });

    function git(...args: string[]): string {
        const identity = ["-c", "user.name=Asha Rao", "-c", "user.email=asha@example.com"];
        return execFileSync("git", [...identity, ...args], { cwd: folder, encoding: "utf8" }).trim();
    }

    function commit(subject: string, text: string): string {
        writeFileSync(file, text);
        git("add", "--all");
        git("commit", "--quiet", "--allow-empty", "--message", subject);
        return git("rev-parse", "HEAD");
    }

    /** An update in the history, by default of a commit's own values. */
    function updated(
        head: string,
        { text = git("show", `${head}:Pulumi.production.yaml`), ...others }: Partial<Entry> = {},
    ) {
        const { config } = parse(text) as { config: Record<string, unknown> };
        return {
            version: 0,
            kind: "update",
            startTime: "2026-03-01T18:00:00.000Z",
            message: "scale-up",
            result: "succeeded",
            environment: { "git.head": head, "git.dirty": "false" },
            config: Object.fromEntries(
                Object.entries(config).map(([key, value]) => [
                    key,
                    typeof value === "object"
                        ? { value: JSON.stringify(value), objectValue: value, secret: false }
                        : { value: String(value), secret: false },
                ]),
            ),
            ...others,
        };
    }

    /** Runs any command of the project. */
    function run(args: readonly string[], history: object[] = [], env: NodeJS.ProcessEnv = {}) {
        const path = [join(folder, "bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter);
        return spawnSync(process.execPath, ["cli/main.cjs", ...args], {
            cwd: folder,
            encoding: "utf8",
            maxBuffer: 64 * 1024 * 1024,
            env: { ...process.env, PATH: path, CALLS: calls, HISTORY: JSON.stringify(history), ...env },
        });
    }

    function deploy(args: readonly string[], history: object[] = [], env: NodeJS.ProcessEnv = {}) {
        const result = run(["deploy", ...args], history, env);
        const read = (name: string) => (existsSync(name) ? readFileSync(name, "utf8") : "");
        return {
            ...result,
            updates: read(calls)
                .split("\n")
                .filter((line) => /^(up|preview)/.test(line))
                .map((line) => line.replace(/ .*?(?= judged)/, "")),
            summary: read(join(plan, "summary.md")),
            record: JSON.parse(read(join(plan, "record.json")) || "{}") as { changes?: number },
        };
    }

    const both = (history: object[], env: NodeJS.ProcessEnv = {}) => {
        const planned = deploy(["plan", "--stack", "production", "--folder", plan], history, env);
        assert.equal(planned.status, 0, planned.stderr);
        return deploy(["apply", "--stack", "production", "--folder", plan], history, env);
    };
    const PLAN = ["plan", "--stack", "production", "--folder"];

    it("previews with the policies, saves the plan, and shows both commits to those who approve", () => {
        const second = commit("Scale `up`", original.replace("min: 3", "min: 6"));
        const { status, stderr, updates, summary, record } = deploy([...PLAN, plan], [updated(first)]);
        assert.equal(status, 0, stderr);
        assert.deepEqual(updates, ["preview judged by policies"]);
        assert.ok(existsSync(join(plan, "plan.json")));
        assert.equal(record.changes, 1);
        assert.match(summary, /^## production: 1 change$/m);
        assert.ok(
            summary.includes(`${second.slice(0, 10)} by \`Asha Rao <asha@example.com>\`: \`Scale 'up'\`.`),
        );
        assert.ok(
            summary.includes(`Last update: 2026-03-01T18:00:00.000Z, \`scale-up\` (${first.slice(0, 10)})`),
        );
        assert.match(summary, /^```\nupdate kubernetes:apps\/v1:Deployment mcp-server-blue\n```$/m);
        assert.match(summary, /<summary>Preview<\/summary>\n\n```\nPreviewing update \(production\)/);
    });

    it("shows who made and approved a release, and refuses one that its author approves", () => {
        const record = (approver: string) =>
            original.replace(
                "green: {version: v2.1.0}",
                `green: { version: v2.1.0, change: { version: v2.1.0, ticket: CHG-7, approvers: [${approver}], rollbackPlan: back } }`,
            );
        commit("Release", record("asha-rao").replace("live: blue", "live: green"));
        const own = deploy([...PLAN, plan], [updated(first)]);
        assert.equal(own.status, 1);
        assert.match(
            own.stderr,
            /^mcp-server v2\.1\.0 is approved by asha-rao, an author of the change \(Asha Rao <asha@example\.com>\)$/m,
        );
        assert.deepEqual(own.updates, []);
        commit("Release", record("change-board").replace("live: blue", "live: green"));
        const { summary } = deploy([...PLAN, plan], [updated(first)]);
        assert.match(
            summary,
            /\*\*Releases\*\*\n\n```\nmcp-server v2\.1\.0: CHG-7, approved by change-board\n/,
        );
    });

    it("says that nothing is to be deployed where no resource changes", () => {
        const { summary, record } = deploy([...PLAN, plan], [updated(first)], { CHANGES: "0" });
        assert.equal(record.changes, 0);
        assert.match(summary, /^## production: nothing to deploy$/m);
    });

    it("updates within the plan", () => {
        commit("Scale up", original.replace("min: 3", "min: 6"));
        const { status, updates, summary } = both([updated(first)]);
        assert.equal(status, 0);
        assert.deepEqual(updates, ["preview judged by policies", "up judged by policies within its plan"]);
        assert.match(summary, /^## production: deployed$/m);
    });

    it("refuses a plan of before the last update, of another commit, and none at all", () => {
        commit("Scale up", original.replace("min: 3", "min: 6"));
        deploy([...PLAN, plan], [updated(first)]);
        const apply = ["apply", "--stack", "production", "--folder", plan];
        const since = updated(first, { startTime: "2026-03-02T01:00:00.000Z", message: "restart" });
        const later = deploy(apply, [since, updated(first)]);
        assert.equal(later.status, 1);
        assert.match(
            later.stderr,
            /^The plan is stale: production was updated since \(2026-03-02T01:00:00\.000Z, "restart", commit \w{10}\)\. Nothing was changed\. Run the whole workflow again/,
        );
        assert.match(
            deploy(["apply", "--stack", "staging", "--folder", plan]).stderr,
            /it is of the stack production/,
        );
        const other = commit("Again", original);
        assert.ok(
            deploy(apply, [updated(first)]).stderr.includes(`and ${other.slice(0, 10)} is checked out`),
        );
        rmSync(plan, { recursive: true });
        assert.match(deploy(apply).stderr, /^--folder: found no plan in /);
        assert.deepEqual(deploy(apply).updates, ["preview judged by policies"]);
    });

    it("never deploys a commit over a newer one", () => {
        const second = commit("Scale up", original.replace("min: 3", "min: 6"));
        git("switch", "--quiet", "--detach", first);
        const { status, stderr, summary, updates } = deploy([...PLAN, plan], [updated(second)]);
        assert.equal(status, 1);
        assert.match(stderr, /^\w{10} is older than the deployed commit \w{10} \(2026-03-01/);
        assert.match(summary, /^## production: refused$/m);
        assert.deepEqual(updates, []);
    });

    describe("with values that were deployed and not committed", () => {
        const night = () =>
            updated(first, {
                text: original.replace("min: 3", "min: 6"),
                environment: { "git.head": first, "git.dirty": "true" },
            });

        it("names them, with the command that commits them, and changes nothing", () => {
            commit("Something else", original.replace("max: 12", "max: 14"));
            const { status, stderr, summary, updates } = deploy([...PLAN, plan], [night()]);
            assert.equal(status, 1);
            assert.match(
                stderr,
                /^The last update of production \(2026-03-01T18:00:00\.000Z, "scale-up"\) set values/,
            );
            assert.match(stderr, /^ {2}mcp:workloads\.mcp-server\.scaling\.min: 3 => 6$/m);
            assert.match(
                stderr,
                /^ {2}pulumi config set --stack production --path mcp:workloads\.mcp-server\.scaling\.min 6$/m,
            );
            assert.doesNotMatch(stderr, /max/);
            assert.match(summary, /scaling\.min: 3 => 6/);
            assert.deepEqual(updates, []);
        });

        it("reverts them with the option, and tells the approvers", () => {
            const { status, summary } = deploy([...PLAN, plan, "--discard"], [night()]);
            assert.equal(status, 0);
            assert.match(
                summary,
                /\*\*Takes back what is deployed and not committed:\*\*\n\n```\nmcp:workloads\.mcp-server\.scaling\.min: 3 => 6/,
            );
        });

        it("goes on once they are committed, or set to something else", () => {
            for (const replicas of [6, 9]) {
                commit("Scale up", original.replace("min: 3", `min: ${replicas}`));
                const { status, stderr } = deploy([...PLAN, plan], [night()]);
                assert.equal(status, 0, stderr);
            }
        });

        it("names those of a branch that is not merged, and of a commit that is not here", () => {
            git("switch", "--quiet", "--create", "night", first);
            const branch = commit("Night", original.replace("min: 3", "min: 6"));
            git("switch", "--quiet", "main");
            commit("Something else", original.replace("max: 12", "max: 14"));
            assert.match(deploy([...PLAN, plan], [updated(branch)]).stderr, /scaling\.min: 3 => 6/);
            const gone = night();
            gone.environment["git.head"] = "0".repeat(40);
            assert.match(deploy([...PLAN, plan], [gone]).stderr, /scaling\.min: 3 => 6/);
            git("branch", "--quiet", "-D", "night");
        });

        it("names them to the next operator who runs a procedure", () => {
            const restart = ["runbook", "run", "restart", "--restart", "INC-1", "--yes"];
            const { status, stdout, stderr } = run(restart, [night()]);
            assert.equal(status, 0, stderr);
            assert.match(
                stdout,
                /^Takes back what the last update \(2026-03-01T18:00:00\.000Z, "scale-up"\) set and no commit has:\n {2}mcp:workloads\.mcp-server\.scaling\.min: 3 => 6$/m,
            );
            git("reset", "--quiet", "--hard", first);
            const scale = ["runbook", "run", "scale-up", "--min", "6", "--yes"];
            assert.doesNotMatch(run(scale, [night()]).stdout, /Takes back/);
        });

        it("names them to reviewers, who are given the history", () => {
            mkdirSync(plan);
            writeFileSync(join(plan, "production.json"), JSON.stringify([night()]));
            const { stdout } = run(["review", "--base", "main", "--history", plan]);
            assert.match(
                stdout,
                /next deploy is refused:\n +production: mcp:workloads\.mcp-server\.scaling\.min: 3 => 6 \(2026-03-01T18:00:00\.000Z, "scale-up"\)\n/,
            );
        });

        it("are named by the preview as long as the stack file has them alone", () => {
            writeFileSync(file, original.replace("min: 3", "min: 6"));
            const { stderr } = run(["preview"]);
            assert.match(
                stderr,
                /^Pulumi\.production\.yaml has values that are not committed:\n {2}mcp:workloads\.mcp-server\.scaling\.min: 3 => 6$/m,
            );
            git("reset", "--quiet", "--hard", first);
            assert.doesNotMatch(run(["preview"]).stderr, /not committed/);
        });

        it("says that a secret or another file may not be committed", () => {
            const dirty = updated(first, { environment: { "git.head": first, "git.dirty": "true" } });
            const { status, summary } = deploy([...PLAN, plan], [dirty]);
            assert.equal(status, 0);
            assert.match(
                summary,
                /\*\*The last update was made from a checkout with uncommitted changes\*\*/,
            );
        });
    });

    describe("when the update fails", () => {
        const green = () => original.replace("live: blue", "live: green").replace("min: 3", "min: 6");

        it("rolls the release back, says why, and what is to be committed", () => {
            commit("Release", green());
            const failed = both([updated(first)], { FAILS: "up once late" });
            assert.equal(failed.status, 5, failed.stderr);
            assert.deepEqual(failed.updates.slice(1), [
                "up judged by policies within its plan",
                "up judged by policies",
            ]);
            assert.match(failed.summary, /^## production: failed, and rolled back mcp-server$/m);
            assert.match(failed.summary, /✗ GET \/health: found 503/);
            assert.match(
                failed.summary,
                /^```\npulumi config set --stack production --path mcp:workloads\.mcp-server\.live blue\n```$/m,
            );
            // The rest of the commit stays.
            const { scaling, live } = parse(readFileSync(file, "utf8")).config["mcp:workloads"]["mcp-server"];
            assert.deepEqual([live, scaling.min], ["blue", 6]);
        });

        it("leaves a commit without a release as far as it came", () => {
            commit("Scale up", original.replace("min: 3", "min: 6"));
            const failed = both([updated(first)], { FAILS: "up late" });
            assert.equal(failed.status, 4);
            assert.equal(failed.updates.length, 2);
            assert.match(failed.summary, /^## production: failed$/m);
        });

        it("goes back to the last update that succeeded", () => {
            commit("Release", green());
            const broken = updated(first, { text: green(), result: "failed" });
            // Its values are those of this commit, and it was made from another one.
            const failed = both([broken, updated(first)], { FAILS: "up once late" });
            assert.equal(failed.status, 5, failed.stderr);
            assert.match(readFileSync(file, "utf8"), /live: blue/);
        });
    });

    it("reports all invalid options at once, and needs the CLI", () => {
        const { status, stderr } = deploy(["apply", "--stack", "test", "--discard"]);
        assert.equal(status, 1);
        assert.equal(
            stderr,
            '--stack: found "test", expected one of production, staging\n--folder: found nothing, expected a folder\n' +
                "--discard: found with apply, expected with plan\nOptions: npm run deploy -- --help\n",
        );
        assert.match(deploy(["destroy"]).stderr, /^found "destroy", expected plan or apply$/m);
        const without = deploy([...PLAN, plan], [], { PATH: "/usr/bin:/bin" });
        assert.equal(without.status, 3, without.stderr);
        assert.match(deploy([...PLAN, plan], [{}]).stderr, /^the history of production: found another text/);
    });
});
