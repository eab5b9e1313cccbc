import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { readHistory } from "../../cli/deploy/lastUpdate";
import { lostValues } from "../../cli/deploy/uncommitted";
import { root } from "../support";
import { PLANTED } from "./planted";
import { Commands, openToolchain, whyNoToolchain } from "./toolchain";

/* What `npm run deploy` rests on: the real engine's plans, and its history. The program is a small one without a cloud. */

const PROGRAM = `
    import { Config, dynamic } from "@pulumi/pulumi";
    const config = new Config("mcp");
    class Provider implements dynamic.ResourceProvider {
        async diff(_id: string, before: any, after: any) {
            return { changes: before.value !== after.value };
        }
        async create(inputs: any) { return { id: "1", outs: { ...inputs, made: "made of " + inputs.value } }; }
        async update(_id: string, _: any, inputs: any) { return { outs: { ...inputs, made: "made of " + inputs.value } }; }
    }
    class Thing extends dynamic.Resource {
        declare made: any;
        constructor(name: string, args: object) { super(new Provider(), name, { made: undefined, ...args }); }
    }
    const first = new Thing("first", { value: config.require("value"), key: config.requireSecret("key") });
    // Known only during the update.
    new Thing("second", { value: first.made });
`;

const missing = whyNoToolchain();
const suite = missing ? describe.skip : describe;

suite(`saved plans on the engine${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(900_000);
    let folder: string;
    let env: NodeJS.ProcessEnv;
    const outside = { ...process.env };

    before(async function () {
        this.timeout(30 * 60_000);
        folder = mkdtempSync(join(tmpdir(), "mcp-engine-plan-"));
        env = {
            ...process.env,
            PATH: await openToolchain(new Commands(join(folder, "bin")), (line) =>
                console.log(`    ${line}`),
            ),
            PULUMI_HOME: join(folder, "home"),
            PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
            PULUMI_CONFIG_PASSPHRASE: "x",
            PULUMI_SKIP_UPDATE_CHECK: "true",
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        };
        // What reads the history starts the CLI of this process's PATH.
        Object.assign(process.env, env);
        mkdirSync(join(folder, "state"));
        symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
        const files = {
            "Pulumi.yaml": "name: mcp\nruntime: nodejs\n",
            "Pulumi.dev.yaml": "config:\n  mcp:value: one\n  mcp:workloads: { a: { scaling: { min: 3 } } }\n",
            "package.json": "{}",
            ".gitignore": "bin\nhome\nnode_modules\nplan.json\nstate\n",
            "tsconfig.json": JSON.stringify({
                extends: join(root, "tsconfig.json"),
                compilerOptions: { types: [] },
                "ts-node": { transpileOnly: true },
            }),
            "index.ts": PROGRAM,
        };
        for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
        git("init", "--quiet");
        await succeed("stack", "init", "dev");
        await succeed("config", "set", "--secret", "mcp:key", PLANTED);
        commit("First");
        await succeed(...UP);
    });
    after(() => {
        process.env = outside;
        rmSync(folder, { recursive: true });
    });

    const UP = ["up", "--yes", "--skip-preview"];

    function git(...args: string[]): string {
        const identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
        return execFileSync("git", [...identity, ...args], { cwd: folder, encoding: "utf8" }).trim();
    }

    function commit(subject: string): string {
        git("add", "--all");
        git("commit", "--quiet", "--message", subject);
        return git("rev-parse", "HEAD");
    }

    async function pulumi(...args: string[]): Promise<{ code: number; output: string }> {
        const all = [...args, "--non-interactive", "--color", "never"];
        const ended = promisify(execFile)("pulumi", all, { cwd: folder, env });
        return ended.then(
            ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
            ({ stdout, stderr, code }: { stdout: string; stderr: string; code: number }) => ({
                code,
                output: stdout + stderr,
            }),
        );
    }

    async function succeed(...args: string[]): Promise<string> {
        const { code, output } = await pulumi(...args);
        assert.equal(code, 0, output);
        return output;
    }

    it("have no secret in plain text, allow what they plan, and refuse anything else before it is done", async () => {
        await succeed("config", "set", "mcp:value", "two");
        await succeed("preview", "--save-plan", "plan.json");
        const plan = readFileSync(join(folder, "plan.json"), "utf8");
        assert.match(plan, /"ciphertext"/);
        assert.ok(!plan.includes(PLANTED));

        await succeed("config", "set", "mcp:value", "three");
        const refused = await pulumi(...UP, "--plan", "plan.json");
        assert.notEqual(refused.code, 0);
        assert.match(refused.output, /violates plan: properties changed/);
        assert.doesNotMatch(refused.output, /updated/);

        await succeed("config", "set", "mcp:value", "two");
        assert.match(await succeed(...UP, "--plan", "plan.json"), /2 updated/);
    });

    it("are refused if stale, and uncommitted values are listed, by the history", async () => {
        const head = commit("Second");
        await succeed(...UP);
        const [clean, before] = readHistory(folder, "dev")!;
        assert.deepEqual([clean!.commit, clean!.isDirty, clean!.succeeded], [head, false, true]);
        assert.notEqual(clean!.id, before!.id);
        assert.deepEqual(clean!.secretKeys, ["mcp:key"]);
        assert.deepEqual(lostValues(folder, "dev", clean!), []);

        await succeed("config", "set", "--path", "mcp:workloads.a.scaling.min", "6");
        await succeed(...UP);
        git("checkout", "--quiet", ".");
        const [night] = readHistory(folder, "dev")!;
        assert.equal(night!.isDirty, true);
        assert.deepEqual(lostValues(folder, "dev", night!), [
            { path: "mcp:workloads.a.scaling.min", committed: "3", found: "6" },
        ]);
    });
});
