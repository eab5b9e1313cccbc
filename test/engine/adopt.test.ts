import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adopt } from "../../cli/adopt/command";
import { type ImportFile } from "../../cli/adopt/importFile";
import { handmadeObjects, INSTANCE, inventory, listed, secret, SERVICES } from "../handmade";
import { recordStack, root } from "../support";
import { Commands, openToolchain, whyNoToolchain } from "./toolchain";

/* The file that `npm run adopt` writes, imported by the real engine into a stack without state: the half on AWS, by the stand-in. */

interface StateResource {
    urn: string;
    id?: string;
    protect?: boolean;
    parent?: string;
    provider?: string;
    inputs?: Record<string, unknown>;
}

/** What is on AWS before the import, by type and id. */
const EXISTING = {
    "aws:rds/instance:Instance": {
        "mcp-production": { identifier: "mcp-production", engine: "postgres", kmsKeyId: INSTANCE.KmsKeyId },
    },
    "aws:elasticache/replicationGroup:ReplicationGroup": {
        "msil-redis": { replicationGroupId: "msil-redis" },
    },
    "aws:s3/bucket:Bucket": { "msil-mcp-backups": { bucket: "msil-mcp-backups" } },
    "aws:cloudwatch/logGroup:LogGroup": { "/mcp/production/server": { name: "/mcp/production/server" } },
};

const missing = whyNoToolchain();
const suite = missing ? describe.skip : describe;

suite(`an adopted platform on the engine${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(600_000);
    let folder: string;
    let file: ImportFile;
    let env: NodeJS.ProcessEnv;

    before(async function () {
        this.timeout(30 * 60_000);
        folder = mkdtempSync(join(tmpdir(), "mcp-import-"));
        mkdirSync(join(folder, "state"));
        const commands = new Commands(join(folder, "bin"));
        const plugin = commands.bundle("plugin");
        const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
            dependencies: Record<string, string>;
        };
        commands.write("pulumi-resource-aws", `${plugin} ${dependencies["@pulumi/aws"]} "$@"`);
        const write = (name: string, content: object) => {
            writeFileSync(join(folder, name), JSON.stringify(content));
            return join(folder, name);
        };
        env = {
            ...process.env,
            PATH: await openToolchain(commands, (line) => console.log(`    ${line}`)),
            PULUMI_HOME: join(folder, "home"),
            PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
            PULUMI_CONFIG_PASSPHRASE: "x",
            PULUMI_SKIP_UPDATE_CHECK: "true",
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
            MCP_STUB_AWS: write("aws.json", EXISTING),
        };
        const account = secret("mcp-db-secret", "Opaque", { url: "postgresql://mcp_before:x@host:5432/mcp" });
        const objects = handmadeObjects(SERVICES.map((each) => ({ ...each, replicas: 1 })));
        const others = objects.filter(({ metadata }) => metadata.name !== account.metadata.name);
        const options = {
            stack: "production",
            kubernetes: [write("objects.json", listed([...others, account]))],
            aws: write("inventory.json", inventory()),
            make: [],
        };
        const found = await adopt(root, options, (edits) => recordStack("production", ...edits));
        const resources = found.file!.resources.filter(
            ({ type, component }) => component === true || /\baws\b/.test(type),
        );
        file = { resources };
        copyFileSync(join(root, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
        pulumi("stack", "init", "production");
    });
    after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

    function pulumi(...args: string[]): string {
        const options = ["--non-interactive", "--color", "never"];
        const { status, stdout, stderr } = spawnSync("pulumi", [...args, ...options], {
            cwd: folder,
            env,
            encoding: "utf8",
        });
        assert.equal(status, 0, stdout + stderr);
        return stdout;
    }

    function imported(): StateResource[] {
        writeFileSync(join(folder, "import.json"), JSON.stringify(file));
        const options = ["--stack", "production", "--file", join(folder, "import.json")];
        pulumi("import", ...options, "--generate-code=false", "--yes");
        const exported = join(folder, "export.json");
        pulumi("stack", "export", "--stack", "production", "--file", exported);
        const { deployment } = JSON.parse(readFileSync(exported, "utf8")) as {
            deployment: { resources: StateResource[] };
        };
        return deployment.resources;
    }

    it("has the URNs, parents and providers of the program, and is protected", async () => {
        const resources = imported();
        const declared = new Set((await recordStack("production")).resources.map(({ urn }) => urn));
        const own = resources.filter(({ urn }) => !urn.includes("::pulumi:pulumi:Stack::"));
        assert.deepEqual(
            own.filter(({ urn }) => !declared.has(urn)),
            [],
        );
        const ids = resources.filter(({ urn, id }) => id !== undefined && !urn.includes("pulumi:providers"));
        assert.deepEqual(
            ids.map(({ id }) => id).sort(),
            Object.values(EXISTING)
                .flatMap((all) => Object.keys(all))
                .sort(),
        );
        const { urn, id } = resources.find((each) => each.urn.endsWith("::aws"))!;
        for (const { protect, parent, provider } of ids) {
            assert.equal(protect, true);
            assert.match(parent!, /::mcp:\w+:\w+::/);
            assert.equal(provider, `${urn}::${id}`);
        }
    });

    it("is the same when it is imported again", () => {
        const before = imported();
        assert.deepEqual(
            imported().map(({ urn, id }) => [urn, id]),
            before.map(({ urn, id }) => [urn, id]),
        );
    });

    it("is not imported by an id that does not exist", () => {
        const [instance] = file.resources.filter(({ type }) => type === "aws:rds/instance:Instance");
        const kept = file;
        file = {
            resources: [
                ...kept.resources.filter((each) => each !== instance),
                { ...instance!, logicalName: "other", id: "other" },
            ],
        };
        assert.throws(() => imported(), /resource 'other' does not exist/);
        file = kept;
    });
});
