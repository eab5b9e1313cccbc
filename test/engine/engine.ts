import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
    chmodSync,
    copyFileSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { buildSync } from "esbuild";
import { parse, stringify } from "yaml";
import { SECRET_KEYS } from "../../config";
import { configPath } from "../../config/problems";
import { type Change, compare, type Operation } from "../../offline/compare";
import { bundleProgram, type Program } from "../../offline/program";
import { record, type Recording } from "../../offline/record";
import { readStackFile } from "../../offline/stackFile";
import { temporaryAuthority } from "../certificates";
import { Api } from "../cluster/api";
import { type ControlPlane, openCluster, whyNoCluster } from "../cluster/control-plane";
import { type JobRunner, startJobRunner } from "../cluster/job-runner";
import { onProcessEnd } from "../cluster/process-end";
import { root } from "../support";
import { type PluginSettings } from "./provider";
import { type Services, startServices } from "./services";

/** Begins every secret of the drills, and nothing else. */
export const PLANTED = "planted-";

/** What the drills change in the stack files, so that a release takes seconds and needs nothing from outside. */
const DRILL = [
    "mcp:aws.accountId=111122223333",
    "mcp:workloads.mcp-server.soak.duration=20s",
    "mcp:workloads.mcp-server.soak.onNoData=pass",
];

/** Why the real engine cannot be tried, in plain words; undefined when it can. */
export function whyNoEngine(): string | undefined {
    for (const program of ["pulumi", "pulumi-language-nodejs", "pulumi-resource-kubernetes"]) {
        if (!onPath(program)) {
            return `there is no ${program} on PATH`;
        }
    }
    return whyNoCluster();
}

function onPath(program: string): boolean {
    return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** How one run of the CLI ended. */
export interface Outcome {
    code: number | null;
    /** Both outputs. */
    output: string;
    seconds: number;
    /** What was done, by URN; resources that stayed the same are left out. */
    steps: Map<string, Operation>;
    /** What the policy pack found, if there was one. */
    policies: PolicyEvent[];
}

/** One finding of a policy pack. */
export interface PolicyEvent {
    policyName: string;
    enforcementLevel: string;
    resourceUrn?: string;
    message: string;
}

interface RunOptions {
    /** Called with the process once it runs. */
    started?: (child: ChildProcess) => void;
    env?: Record<string, string>;
}

/** The real CLI with a backend, a home and plugins of its own, and a control plane it can reach. */
export class Engine {
    /** Everything the CLI ever printed. */
    transcript = "";
    private readonly certificates = temporaryAuthority();
    private readonly issued = new Map<string, { certificate: string; privateKey: string }>();
    private readonly ciphertexts = new Map<string, { config: Record<string, unknown>; salt: unknown }>();
    private readonly program: Program = bundleProgram(root);
    private runs = 0;

    private constructor(
        readonly folder: string,
        readonly cluster: ControlPlane,
        readonly api: Api,
        readonly runner: JobRunner,
        readonly door: Door,
        readonly services: Services,
        private readonly env: NodeJS.ProcessEnv,
        private readonly forget: () => void,
    ) {}

    /** Starts everything. */
    static async open(): Promise<Engine> {
        const folder = mkdtempSync(join(tmpdir(), "mcp-engine-"));
        const forget = onProcessEnd(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
        const cluster = await openCluster({ log: (line) => console.log(`    ${line}`) });
        const api = Api.from(cluster.kubeconfig);
        const door = await Door.open(cluster.server);
        const env = surroundings(folder, cluster, api, door);
        const services = await startServices();
        services.attach(api);
        const runner = startJobRunner(cluster.kubeconfig, { hosts: services.hosts });
        return new Engine(folder, cluster, api, runner, door, services, env, forget);
    }

    async close(): Promise<void> {
        await this.runner.stop();
        this.door.close();
        this.services.close();
        await this.cluster.stop();
        this.certificates.remove();
        rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
        this.forget();
    }

    /** Edits on a stack file that give it everything an operator would. */
    edits(stack: string, edits: readonly string[]): string[] {
        const given = [...DRILL, ...edits];
        const { placeholders } = readStackFile(root, stack, given);
        return [
            ...given,
            ...placeholders.flatMap(({ path, placeholder }) =>
                typeof placeholder === "string"
                    ? `${configPath(path)}=${this.supplied(stack, path)}`
                    : placeholder.map((each, index) => `${configPath([...path, index])}=${each}`),
            ),
        ];
    }

    private supplied(stack: string, path: readonly string[]): string {
        const [concern, name, part] = path;
        if (concern === "images") {
            return `sha256:${createHash("sha256").update(path.at(-1)!).digest("hex")}`;
        }
        if (concern === "secrets") {
            return `${PLANTED}${name}-${part}`;
        }
        if (concern === "tls") {
            const prefix = stack === "production" ? "" : `${stack}.`;
            const hosts = [`${prefix}mcp.msil.com`, `admin.${prefix}mcp.msil.com`];
            const key = `${stack} ${name}`;
            const pair = this.issued.get(key) ?? this.certificates.issue(key, { hosts });
            this.issued.set(key, pair);
            return part === "certificate" ? pair.certificate : pair.privateKey;
        }
        throw new Error(`the drills do not know what to supply as ${configPath(path)}`);
    }

    /** What the offline preview records for a stack with edits. */
    record(stack: string, edits: readonly string[]): Promise<Recording> {
        return record(this.program, readStackFile(root, stack, this.edits(stack, edits)));
    }

    /** What the offline preview says that it takes to get from one set of edits to another, by URN. */
    async predicted(stack: string, before: readonly string[] | undefined, after: readonly string[]) {
        const nothing = { resources: [], outputs: {}, project: "mcp", stack };
        const changes = compare(
            before === undefined ? nothing : await this.record(stack, before),
            await this.record(stack, after),
        );
        return new Map(
            changes
                .filter(({ operation }) => operation !== "same" && operation !== "read")
                .map(({ operation, resource }: Change) => [resource.urn, operation]),
        );
    }

    /** `pulumi up`, and what it did. */
    up(
        stack: string,
        edits: readonly string[],
        flags: string[] = [],
        options?: RunOptions,
    ): Promise<Outcome> {
        return this.act("up", stack, edits, ["--yes", "--skip-preview", ...flags], options);
    }

    /** `pulumi preview`, and what it would do. */
    preview(stack: string, edits: readonly string[], flags: string[] = [], options?: RunOptions) {
        return this.act("preview", stack, edits, flags, options);
    }

    destroy(stack: string, edits: readonly string[]): Promise<Outcome> {
        return this.act("destroy", stack, edits, ["--yes", "--skip-preview"]);
    }

    private async act(
        command: string,
        stack: string,
        edits: readonly string[],
        flags: string[],
        options?: RunOptions,
    ): Promise<Outcome> {
        const events = join(this.folder, `events-${(this.runs += 1)}.jsonl`);
        const file = await this.configFile(stack, edits);
        const outcome = await this.run(
            [command, "--stack", stack, "--config-file", file, "--event-log", events, ...flags],
            options,
        );
        if (existsSync(events)) {
            const log = readFileSync(events, "utf8");
            // What the engine logs of itself for its developers is shown to nobody unless they ask for it.
            const shown = eventsOf(log).filter(
                ({ diagnosticEvent }) => diagnosticEvent?.severity !== "debug",
            );
            this.transcript += JSON.stringify(shown);
            Object.assign(outcome, { steps: stepsOf(log), policies: policiesOf(log) });
        }
        return outcome;
    }

    /** Runs the CLI in the project. */
    async run(args: readonly string[], { started, env }: RunOptions = {}): Promise<Outcome> {
        const began = Date.now();
        const child = spawn("pulumi", [...args, "--non-interactive"], {
            cwd: root,
            env: { ...this.env, ...env },
            stdio: ["ignore", "pipe", "pipe"],
            // A group of its own, so that a test can kill it with all its plugins.
            detached: true,
        });
        const forget = onProcessEnd(() => kill(child));
        let output = "";
        for (const stream of [child.stdout, child.stderr]) {
            stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
        }
        started?.(child);
        const code = await new Promise<number | null>((resolve, reject) => {
            child.once("error", reject);
            child.once("close", (exit) => resolve(exit));
        });
        forget();
        this.transcript += output;
        return { code, output, seconds: (Date.now() - began) / 1000, steps: new Map(), policies: [] };
    }

    /** Runs the CLI and expects it to succeed. */
    async succeed(...args: string[]): Promise<string> {
        const { code, output } = await this.run(args);
        if (code !== 0) {
            throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${output}`);
        }
        return output;
    }

    /** What the stand-ins for AWS and random were asked to change. */
    get pluginLog(): string {
        return join(this.folder, "provider.log");
    }

    /** The stack's state as the backend keeps it. */
    state(stack: string): string {
        return readFileSync(join(this.folder, "state", ".pulumi", "stacks", "mcp", `${stack}.json`), "utf8");
    }

    /** The stack file with the edits, its secrets encrypted as `pulumi config set --secret` does. */
    private async configFile(stack: string, edits: readonly string[]): Promise<string> {
        const { config } = readStackFile(root, stack, this.edits(stack, edits));
        const isSecret = (key: string) => SECRET_KEYS.some((secret) => key === `mcp:${secret}`);
        const plain = Object.entries(config).filter(([key]) => !isSecret(key));
        const secrets = Object.entries(config).filter(([key]) => isSecret(key));
        const encrypted = await this.encrypted(stack, secrets);
        const file = join(this.folder, `Pulumi.${stack}-${this.runs}.yaml`);
        const values = plain.map(([key, value]) => [key, objectOf(value)]);
        writeFileSync(
            file,
            stringify({
                encryptionsalt: encrypted.salt,
                config: { ...Object.fromEntries(values), ...encrypted.config },
            }),
        );
        return file;
    }

    private async encrypted(stack: string, secrets: readonly [string, string][]) {
        const key = JSON.stringify([stack, secrets]);
        const known = this.ciphertexts.get(key);
        if (known !== undefined) {
            return known;
        }
        // In a folder beside the project, whose own stack files the CLI would write to.
        const file = join(this.folder, "project", `Pulumi.${stack}.yaml`);
        const beside = ["--cwd", join(this.folder, "project")];
        if (!existsSync(file)) {
            await this.succeed("stack", "init", stack, ...beside);
        }
        const leaves = secrets.flatMap(([name, value]) => leavesOf(name, objectOf(value)));
        const pairs = leaves.map(([path, value]) => `${path}=${value}`);
        const args = ["config", "set-all", "--stack", stack, "--path", ...beside];
        await this.succeed(...args, ...pairs.flatMap((pair) => ["--secret", pair]));
        const { encryptionsalt: salt, config = {} } = parse(readFileSync(file, "utf8")) as {
            encryptionsalt: unknown;
            config?: Record<string, unknown>;
        };
        // Only what is asked for now: the program refuses a certificate that nothing lists.
        const found = { salt, config: Object.fromEntries(secrets.map(([name]) => [name, config[name]])) };
        writeFileSync(file, stringify({ encryptionsalt: salt }));
        this.ciphertexts.set(key, found);
        return found;
    }
}

/** Ends a run of the CLI and its plugins on the spot, as the loss of its machine would. */
export function kill(child: ChildProcess): void {
    try {
        process.kill(-child.pid!, "SIGKILL");
    } catch {
        // It has ended by itself.
    }
}

/** What stands between the engine and the API server, and can be shut. */
export class Door {
    private readonly sockets = new Set<Socket>();
    private shut = false;

    private constructor(
        private readonly server: ReturnType<typeof createServer>,
        readonly url: string,
    ) {}

    static async open(target: URL): Promise<Door> {
        const server = createServer();
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const door = new Door(server, `https://127.0.0.1:${(server.address() as AddressInfo).port}`);
        server.on("connection", (socket) => {
            if (door.shut) {
                socket.destroy();
                return;
            }
            const through = connect(Number(target.port), target.hostname);
            for (const end of [socket, through]) {
                door.sockets.add(end);
                end.on("error", () => end.destroy());
                end.on("close", () => {
                    door.sockets.delete(end);
                    socket.destroy();
                    through.destroy();
                });
            }
            socket.pipe(through).pipe(socket);
        });
        return door;
    }

    /** Shuts it, or opens it again. */
    set closed(shut: boolean) {
        this.shut = shut;
        for (const socket of shut ? this.sockets : []) {
            socket.destroy();
        }
    }

    close(): void {
        this.closed = true;
        this.server.close();
    }
}

/** Environment of the CLI: plugins of the tests first on PATH, and nothing of the user's. */
function surroundings(folder: string, cluster: ControlPlane, api: Api, door: Door): NodeJS.ProcessEnv {
    const at = (...path: string[]) => join(folder, ...path);
    for (const path of ["bin", "home", "project", "state"]) {
        mkdirSync(at(path));
    }
    copyFileSync(join(root, "Pulumi.yaml"), at("project", "Pulumi.yaml"));
    buildSync({
        entryPoints: [join(__dirname, "provider.ts")],
        bundle: true,
        platform: "node",
        outfile: at("provider.js"),
        logLevel: "silent",
    });
    const executable = (name: string, script: string) => {
        writeFileSync(at("bin", name), `#!/bin/sh\n${script}\n`);
        chmodSync(at("bin", name), 0o755);
    };
    for (const name of ["aws", "random"]) {
        const { version } = JSON.parse(
            readFileSync(join(root, "node_modules", "@pulumi", name, "package.json"), "utf8"),
        ) as { version: string };
        executable(`pulumi-resource-${name}`, `exec node '${at("provider.js")}' ${name} ${version}`);
    }
    // What the kubeconfig of an EKS cluster calls for each token.
    const { token } = (
        JSON.parse(readFileSync(cluster.kubeconfig, "utf8")) as { users: { user: { token: string } }[] }
    ).users[0]!.user;
    const credential = { apiVersion: "client.authentication.k8s.io/v1beta1", kind: "ExecCredential" };
    writeFileSync(at("credential.json"), JSON.stringify({ ...credential, status: { token } }));
    executable("aws", `exec cat '${at("credential.json")}'`);
    const plugin: PluginSettings = {
        log: at("provider.log"),
        cluster: {
            endpoint: door.url,
            certificateAuthority: { data: api.ca!.toString("base64") },
        },
    };
    return {
        PATH: [at("bin"), process.env["PATH"]].join(delimiter),
        HOME: at("home"),
        TMPDIR: tmpdir(),
        PULUMI_HOME: at("home"),
        PULUMI_BACKEND_URL: `file://${at("state")}`,
        PULUMI_CONFIG_PASSPHRASE: "of the drills",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        // Shows --event-log.
        PULUMI_DEBUG_COMMANDS: "true",
        MCP_NOW: process.env["MCP_NOW"],
        MCP_TEST_PLUGIN: JSON.stringify(plugin),
    };
}

interface EngineEvent {
    resourcePreEvent?: { metadata: { op: string; urn: string } };
    policyEvent?: PolicyEvent;
    diagnosticEvent?: { severity: string };
}

const eventsOf = (log: string) =>
    log
        .split("\n")
        .filter((line) => line.trim() !== "")
        .map((line) => JSON.parse(line) as EngineEvent);

function policiesOf(log: string): PolicyEvent[] {
    return eventsOf(log).flatMap(({ policyEvent }) => policyEvent ?? []);
}

const OPERATIONS: Record<string, Operation> = {
    create: "create",
    update: "update",
    delete: "delete",
    replace: "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
};

/** What was done to each resource. A replacement takes several steps and counts once. */
function stepsOf(log: string): Map<string, Operation> {
    const steps = new Map<string, Operation>();
    for (const { resourcePreEvent } of eventsOf(log)) {
        const { metadata } = resourcePreEvent ?? {};
        const operation = metadata && OPERATIONS[metadata.op];
        if (operation !== undefined) {
            steps.set(metadata!.urn, operation);
        }
    }
    return steps;
}

/** Values of a stack file that are objects arrive as JSON. */
function objectOf(value: string): unknown {
    try {
        return JSON.parse(value);
    } catch {
        return value;
    }
}

/** Every text in a value with its path, as `pulumi config set --path` takes it. */
function leavesOf(path: string, value: unknown): [string, string][] {
    return typeof value === "object" && value !== null
        ? Object.entries(value).flatMap(([key, inner]) => leavesOf(`${path}["${key}"]`, inner))
        : [[path, String(value)]];
}

/** Version of the CLI. */
export function engineVersion(): string {
    return spawnSync("pulumi", ["version"], { encoding: "utf8" }).stdout.trim();
}
