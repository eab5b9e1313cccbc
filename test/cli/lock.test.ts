import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { eventually } from "../cluster/api";
import { copyOfProject } from "../support";

/** The lock's error, as file and object stores have it. */
const lockOf = (host: string, pid: number) =>
    "the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with " +
    `\`pulumi cancel\`.\n  s3://state/.pulumi/locks/1.json: created by alice@${host} (pid ${pid}) at 2026-11-30T23:10:00Z`;

const SOAK = "mcp-server-green-soak-0a1b2c3d-9f8e7d6c";

/** The release that soaks, as the history has it after its smoke gate. */
const SOAKING = {
    hash: "0a1b2c3d",
    version: "v2.1.0",
    image: "registry/mcp-server@sha256:1",
    colour: "green",
    ticket: "CHG-2041",
    evidence: { at: "2026-11-30T23:05:00Z", approvers: ["change-board"] },
    smokeAt: "2026-11-30T23:09:00Z",
};

const SCALE_UP = ["run", "scale-up", "--min", "6"];

describe("npm run runbook, while another update has the stack's lock", function () {
    this.timeout(120_000);
    let folder: string;
    let file: string;
    let original: string;
    let lock: string;
    let cluster: string;
    let calls: string;

    before(() => {
        folder = copyOfProject();
        [lock, cluster, calls] = ["lock", "cluster.json", "calls.log"].map((name) => join(folder, name)) as [
            string,
            string,
            string,
        ];
        file = join(folder, "Pulumi.production.yaml");
        original = readFileSync(file, "utf8");
        mkdirSync(join(folder, "bin"));
        for (const name of ["pulumi", "kubectl"]) {
            const script = `#!/bin/sh\nexec '${process.execPath}' '${join(__dirname, `${name}.cjs`)}' "$@"\n`;
            writeFileSync(join(folder, "bin", name), script);
            chmodSync(join(folder, "bin", name), 0o755);
        }
    });
    after(() => rmSync(folder, { recursive: true }));
    beforeEach(() => {
        writeFileSync(file, original);
        writeFileSync(lock, lockOf("ci-runner", 4711));
        rmSync(calls, { force: true });
        inCluster(
            { name: SOAK },
            { name: "mcp-health-29410", owner: "CronJob" },
            // It goes on beside the update.
            { name: "mcp-server-green-watch-0a1b2c3d-5", annotations: { "pulumi.com/skipAwait": "true" } },
        );
    });

    /** Has the cluster show these Jobs, for a number of looks. */
    function inCluster(
        ...jobs: { name: string; owner?: string; annotations?: Record<string, string> }[]
    ): void {
        const data = { "mcp-server": JSON.stringify([SOAKING]) };
        writeFileSync(cluster, JSON.stringify({ jobs, data, looks: 3 }));
    }

    const env = (more: NodeJS.ProcessEnv = {}) => ({
        ...process.env,
        PATH: [join(folder, "bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(":"),
        ...{ CALLS: calls, LOCKED: lock, CLUSTER: cluster, FAILS: "", ...more },
    });

    function runbook(args: readonly string[], more?: NodeJS.ProcessEnv) {
        const result = spawnSync(process.execPath, ["cli/main.cjs", "runbook", ...args], {
            cwd: folder,
            encoding: "utf8",
            maxBuffer: 64 * 1024 * 1024,
            env: env(more),
        });
        const called = existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [];
        return { ...result, called: called.map((line) => line.split(" ")[0]!), set: added() };
    }

    function added(): string {
        const text = readFileSync(file, "utf8");
        return text.startsWith(original) ? text.slice(original.length) : text;
    }

    const patched = () =>
        JSON.parse((JSON.parse(readFileSync(cluster, "utf8")) as { patch: string }).patch) as {
            data: Record<string, string>;
        };

    it("says who has it, since when and in which gate, and what to choose", () => {
        const { status, stderr, set } = runbook([...SCALE_UP, "--yes"]);
        assert.equal(status, 1);
        assert.match(stderr, /^Another run is under way, and nothing was changed:$/m);
        assert.match(
            stderr,
            /^The stack production is locked by alice@ci-runner \(process 4711\), since 2026-11-30T23:10:00Z\.$/m,
        );
        assert.match(
            stderr,
            /^ {2}mcp-server v2\.1\.0 \(green\) \(CHG-2041, approved by change-board\): Job mcp-server-green-soak-0a1b2c3d-9f8e7d6c, since 2026-11-30T23:10:11Z$/m,
        );
        assert.match(stderr, /^ {2}--wait +waits [^]*^ {2}--abort-soak +aborts /m);
        assert.match(stderr, /pulumi cancel --stack production --yes/);
        assert.doesNotMatch(stderr, /mcp-health|watch-/);
        assert.equal(set, "");
    });

    it("says so as data, where the cluster is out of reach, too", () => {
        const { status, stdout } = runbook([...SCALE_UP, "--yes", "--json"], {
            CLUSTER: join(folder, "none"),
        });
        const { outcome, begun, reason } = JSON.parse(stdout) as Record<string, string>;
        assert.deepEqual([status, outcome, begun], [1, "locked", false]);
        assert.match(reason!, /locked by alice@ci-runner [^]*No Job of it runs in the cluster/);
    });

    it("waits for its end with the option, and checks the plan again", () => {
        const { status, called, set, stderr } = runbook([...SCALE_UP, "--yes", "--wait"]);
        assert.equal(status, 0, stderr);
        assert.deepEqual(
            called.filter((each) => ["preview", "up"].includes(each)),
            ["preview", "up", "preview", "up"],
        );
        assert.match(set, /^# set: mcp:workloads\.mcp-server\.scaling\.min=6\n$/);
    });

    it("changes nothing where the plan is another one then", () => {
        const { status, stderr, set } = runbook([...SCALE_UP, "--yes", "--wait"], { OTHERWISE: "x" });
        assert.equal(status, 1);
        assert.match(
            stderr,
            /another one since the other update has ended, and nothing was changed:\n {2}update kubernetes:apps\/v1:Deployment mcp-server-green\n/,
        );
        assert.equal(set, "");
    });

    it("aborts the release at its gate, before anything else", () => {
        const { status, called, set, stdout, stderr } = runbook([...SCALE_UP, "--yes", "--abort-soak"]);
        assert.equal(status, 0, stderr);
        assert.match(stdout, /^Aborting mcp-server v2\.1\.0 \(green\) /m);
        assert.match(patched().data["mcp-server.abort"]!, /^v2\.1\.0 for scale-up, by \S+@\S+$/);
        // Seconds count: the update goes without the engine's preview.
        assert.ok(!called.includes("preview") && called.includes("up"), called.join());
        assert.match(set, /^# set: mcp:workloads\.mcp-server\.scaling\.min=6\n$/);
    });

    it("takes the aborted release back, too, where the stack file has it live", () => {
        const released = original
            .replace("live: blue", "live: green")
            .replace(
                "green: {version: v2.1.0}",
                "green: {version: v2.1.0, change: {version: v2.1.0, skip: INC-1}}",
            );
        assert.notEqual(released, original);
        writeFileSync(file, released);
        const { status, stdout, stderr } = runbook([...SCALE_UP, "--yes", "--abort-soak"]);
        assert.equal(status, 0, stderr);
        assert.match(
            stdout,
            /has mcp-server v2\.1\.0 live, which was aborted: this update takes it back, too/,
        );
        assert.match(
            readFileSync(file, "utf8"),
            /# set: mcp:workloads\.mcp-server\.live=blue mcp:workloads\.mcp-server\.scaling\.min=6\n/,
        );
    });

    it("has nothing to abort where no release is at its gates", () => {
        inCluster({ name: "chat-ui-smoke-0a1b2c3d-9f8e7d6c" });
        const { status, stdout, stderr } = runbook([...SCALE_UP, "--yes", "--abort-soak"]);
        assert.equal(status, 1);
        assert.match(stdout, /^No release is at its gates in mcp-production\.$/m);
        assert.match(stderr, /^ {2}Job chat-ui-smoke-0a1b2c3d-9f8e7d6c, since /m);
    });

    it("knows a lock that its process has left behind, and how to remove it", () => {
        const ended = spawnSync(process.execPath, ["--version"]).pid;
        writeFileSync(lock, lockOf(hostname(), ended));
        const { status, stderr } = runbook([...SCALE_UP, "--yes", "--wait"]);
        assert.equal(status, 1);
        assert.match(stderr, /That process has ended: [^]*pulumi cancel --stack production --yes/);
        writeFileSync(lock, lockOf(hostname(), process.pid));
        assert.doesNotMatch(runbook([...SCALE_UP, "--yes"]).stderr, /That process has ended/);
    });

    for (const conflict of [
        "[409] Conflict: Another update is currently in progress.\nTo learn more, visit https://www.pulumi.com/docs/",
        // Of a service that speaks the same protocol.
        "[409] Conflict: another update is in progress for this stack",
    ]) {
        it(`knows the conflict of a service, too: ${conflict.split("\n")[0]}`, () => {
            writeFileSync(lock, conflict);
            const { status, stderr } = runbook([...SCALE_UP, "--yes"]);
            assert.equal(status, 1);
            assert.match(stderr, /is locked by another update, which the backend does not name\.$/m);
            assert.match(stderr, /^ {2}mcp-server v2\.1\.0 \(green\) /m);

            const update = {
                kind: "update",
                message: "blue-green-release",
                environment: { "git.author": "Alice", "ci.build.url": "https://ci/run/7" },
                config: {},
                startTime: "2026-11-30T23:10:00.000Z",
                endTime: "2026-11-30T23:10:00.000Z",
                version: 7,
            };
            const named = runbook([...SCALE_UP, "--yes"], {
                HISTORY: JSON.stringify([{ ...update, result: "in-progress" }]),
            });
            assert.match(
                named.stderr,
                /is locked by "blue-green-release", by Alice, https:\/\/ci\/run\/7, since 2026-11-30T23:10:00\.000Z\.$/m,
            );
            // One that has ended is not the one that has the lock.
            const ended = runbook([...SCALE_UP, "--yes"], {
                HISTORY: JSON.stringify([{ ...update, result: "succeeded" }]),
            });
            assert.match(ended.stderr, /which the backend does not name/);
        });
    }

    it("refuses to wait and to abort at once, and to abort without kubectl", () => {
        const both = runbook([...SCALE_UP, "--yes", "--wait", "--abort-soak"]);
        assert.deepEqual([both.status, both.called], [1, []]);
        assert.match(both.stderr, /^--wait: found with --abort-soak, expected one of the two$/m);
        const { status, stderr, set } = runbook([...SCALE_UP, "--yes", "--abort-soak"], {
            CLUSTER: join(folder, "none"),
        });
        assert.deepEqual([status, set], [1, ""]);
        assert.match(stderr, /^kubectl failed: /m);
        assert.doesNotMatch(stderr, /^\s+at /m);
    });

    const hasTerminal = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes(
        "util-linux",
    );
    (hasTerminal ? it : it.skip)("asks at a terminal, before anything is changed", async () => {
        const words = [process.execPath, "cli/main.cjs", "runbook", ...SCALE_UP].map((word) => `'${word}'`);
        const child = spawn("script", ["--quiet", "--return", "--command", words.join(" "), "/dev/null"], {
            cwd: folder,
            env: env(),
            stdio: ["pipe", "pipe", "ignore"],
        });
        let screen = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text));
        const done = new Promise<number | null>((end) => child.once("close", end));
        for (const [asked, keys] of [
            [/\(wait, abort or try\)/, "abort\r"],
            [/Update production\?/, "yes\r"],
        ] as const) {
            await eventually(String(asked), () => asked.test(screen), 120);
            child.stdin.write(keys);
        }
        assert.equal(await done, 0, screen);
        assert.match(patched().data["mcp-server.abort"]!, /^v2\.1\.0 /);
    });
});
