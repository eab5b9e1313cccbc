import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ADMIN_API } from "../../core/numbers";
import { root } from "../support";
import { Commands, openToolchain, whyNoToolchain } from "./toolchain";
import { addressOf, listening } from "./world";

/* Disabled tools by the real engine, which stores their provider as text and runs it in a separate process. */

const TOKEN = "planted-token";
const missing = whyNoToolchain();
const suite = missing ? describe.skip : describe;

suite(`disabled tools on the engine${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(600_000);
    let folder: string;
    let token: string;
    const tools: Record<string, boolean> = { one: true, two: true };
    let server: Server;
    let everything = "";
    let path: string;

    before(async function () {
        this.timeout(30 * 60_000);
        server = createServer((request, response) => {
            let body = "";
            request.setEncoding("utf8").on("data", (text: string) => (body += text));
            request.on("end", () => {
                const name = request.url!.split("/").at(-1)!;
                const status =
                    request.headers.authorization !== `Bearer ${TOKEN}` ? 401 : name in tools ? 200 : 404;
                if (status === 200 && request.method === "PATCH") tools[name] = JSON.parse(body).enabled;
                response.writeHead(status).end(JSON.stringify({ enabled: tools[name] }));
            });
        });
        await listening(server);
        folder = mkdtempSync(join(tmpdir(), "mcp-engine-tools-"));
        path = await openToolchain(new Commands(join(folder, "bin")), (line) => console.log(`    ${line}`));
        token = join(folder, "token");
        writeFileSync(token, TOKEN);
        mkdirSync(join(folder, "state"));
        symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
        const component = join(root, "components", "operations", "disabledTools");
        const files = {
            "Pulumi.yaml": "name: switch\nruntime: nodejs\n",
            "Pulumi.dev.yaml": 'config:\n  pulumi:disable-default-providers: ["*"]\n',
            "package.json": "{}",
            "tsconfig.json": JSON.stringify({
                extends: join(root, "tsconfig.json"),
                compilerOptions: { types: [] },
                "ts-node": { transpileOnly: true },
            }),
            "index.ts": `
                import { ComponentResource } from "@pulumi/pulumi";
                import { DisabledTools } from ${JSON.stringify(component)};
                const platform = new ComponentResource("mcp:platform:Namespace", "mcp");
                const tools = process.env.TOOLS!.split(" ").filter((name) => name !== "");
                if (tools.length > 0) new DisabledTools("mcp-tools", { api: process.env.API!, tools, platform });`,
        };
        for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
        await pulumi("", "stack", "init", "dev");
    });
    after(async () => {
        server.close();
        rmSync(folder, { recursive: true });
        await once(server, "close");
    });

    /** Runs the CLI with these tools disabled; what it prints, and how it ends. */
    async function pulumi(disabled: string, ...args: string[]) {
        const env = {
            ...process.env,
            PATH: path,
            PULUMI_HOME: join(folder, "home"),
            PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
            PULUMI_CONFIG_PASSPHRASE: "x",
            PULUMI_SKIP_UPDATE_CHECK: "true",
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
            TOOLS: disabled,
            API: `http://127.0.0.1:${addressOf(server).port}${ADMIN_API.tools}`,
            [ADMIN_API.tokenFile]: token,
        };
        const all = [...args, "--non-interactive", "--color", "never"];
        const { stdout, stderr, code } = await promisify(execFile)("pulumi", all, {
            cwd: folder,
            env,
        }).then(
            (ended) => ({ ...ended, code: 0 }),
            (error: { stdout: string; stderr: string; code: number }) => error,
        );
        everything += stdout + stderr;
        return { output: stdout + stderr, stdout, code };
    }

    async function up(disabled: string, ...args: string[]): Promise<void> {
        const { code, output } = await pulumi(disabled, "up", "--yes", "--skip-preview", ...args);
        assert.equal(code, 0, output);
    }

    it("are disabled, disabled again after somebody enabled one by hand, and enabled when they leave the list", async () => {
        await up("one two");
        assert.deepEqual(tools, { one: false, two: false });

        tools["one"] = true;
        const drift = await pulumi("one two", "preview", "--refresh", "--expect-no-changes");
        assert.notEqual(drift.code, 0, drift.output);
        assert.equal(tools["one"], true);
        await up("one two", "--refresh");
        assert.deepEqual(tools, { one: false, two: false });

        await up("two");
        assert.deepEqual(tools, { one: true, two: false });
        await up("");
        assert.deepEqual(tools, { one: true, two: true });
    });

    it("fail with the reason, and change nothing else: an unknown tool, a token that is refused, none at all", async () => {
        await up("one");
        const unknown = await pulumi("one three", "up", "--yes", "--skip-preview");
        assert.notEqual(unknown.code, 0);
        assert.match(
            unknown.output,
            /cannot disable the tool three through .*: it knows no such tool \(404\)/,
        );

        writeFileSync(token, "another");
        const refused = await pulumi("", "up", "--yes", "--skip-preview");
        assert.notEqual(refused.code, 0);
        assert.match(refused.output, /cannot enable the tool one through .*: it refuses the token \(401\)/);

        rmSync(token);
        const early = await pulumi("one two", "preview");
        assert.notEqual(early.code, 0);
        assert.match(
            early.output,
            /'two' has a problem: the file that MCP_ADMIN_TOKEN_FILE names cannot be read/,
        );
        await up("one");

        writeFileSync(token, TOKEN);
        assert.deepEqual(tools, { one: false, two: true });
        await up("");
    });

    it("go with the platform without a word to the admin API", async () => {
        await up("one");
        rmSync(token);
        const gone = await pulumi("one", "destroy", "--yes", "--skip-preview");
        assert.equal(gone.code, 0, gone.output);
        assert.equal(tools["one"], false);
        writeFileSync(token, TOKEN);
    });

    it("leave no trace of the token in the state or in anything that was printed", async () => {
        await up("one");
        const { stdout } = await pulumi("one", "stack", "export", "--show-secrets");
        assert.ok(stdout.includes("DisabledTool"));
        assert.ok(!(stdout + everything).includes(TOKEN));
    });
});
