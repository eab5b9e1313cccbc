import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, resolveConfig } from "prettier";
import { stackNames } from "../../offline/stackFile";
import { root } from "../support";
import { Commands, openToolchain, whyNoToolchain } from "./toolchain";

/* What Pulumi's command line makes of a stack file: its value alone, in the format that the checks expect. */

const missing = whyNoToolchain();
const suite = missing ? describe.skip : describe;

suite(`stack files on the engine${missing ? ` (skipped: ${missing})` : " @core"}`, function () {
    this.timeout(600_000);
    let folder: string;
    let path: string;

    before(async function () {
        this.timeout(30 * 60_000);
        folder = mkdtempSync(join(tmpdir(), "mcp-engine-files-"));
        path = await openToolchain(new Commands(join(folder, "bin")), (line) => console.log(`    ${line}`));
        mkdirSync(join(folder, "state"));
        cpSync(join(root, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
    });
    after(() => rmSync(folder, { recursive: true }));

    const pulumi = (...args: string[]) =>
        execFileSync("pulumi", [...args, "--non-interactive"], {
            cwd: folder,
            env: {
                ...process.env,
                PATH: path,
                PULUMI_HOME: join(folder, "home"),
                PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
                PULUMI_CONFIG_PASSPHRASE: "x",
                PULUMI_SKIP_UPDATE_CHECK: "true",
            },
            stdio: ["ignore", "pipe", "pipe"],
        });

    for (const stack of stackNames(root)) {
        it(`change by no more than what is set, and stay formatted: ${stack}`, async () => {
            const name = `Pulumi.${stack}.yaml`;
            const file = join(folder, name);
            cpSync(join(root, name), file);
            const before = readFileSync(file, "utf8");
            pulumi("stack", "init", stack);
            const created = readFileSync(file, "utf8");
            assert.ok(created.startsWith(before), "stack init writes the file again");
            assert.match(created.slice(before.length), /^encryptionsalt: \S+\n$/);

            pulumi("config", "set", "--stack", stack, "--path", "mcp:workloads.chat-ui.restart", "INC-1");
            const lines = new Set(created.split("\n"));
            const text = readFileSync(file, "utf8");
            assert.deepEqual(
                text.split("\n").filter((line) => !lines.has(line)),
                ["      restart: INC-1"],
            );
            const options = await resolveConfig(join(root, name));
            assert.ok(await check(text, { ...options, filepath: name }), "not formatted");
        });
    }
});
