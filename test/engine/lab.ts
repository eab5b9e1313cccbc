import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { configPath } from "../../config/problems";
import { readStackFile } from "../../offline/stackFile";
import { ADMIN_API } from "../../core/numbers";
import { type Issued, temporaryAuthority } from "../certificates";
import { Api } from "../cluster/api";
import { type ControlPlane, lent, startControlPlane, whyNoCluster } from "../cluster/control-plane";
import { type JobRunner, startJobRunner } from "../cluster/job-runner";
import { root } from "../support";
import { PLANTED } from "./planted";
import { Stack } from "./stack";
import { Commands, openToolchain, whyNoToolchain } from "./toolchain";
import { Line, World } from "./world";

/** Why the engine cannot be tested with, in plain words; undefined when it can. */
export function whyNoEngine(): string | undefined {
    return whyNoToolchain() ?? (lent ? "a cluster is lent, and these tests break theirs" : whyNoCluster());
}

const ACCOUNT = "111122223333";

/** A Kubernetes control plane, what its gates meet there, and all that an engine needs to update a stack in it. */
export class Lab {
    private readonly pairs = new Map<string, Issued>();
    private readonly stacks: Stack[] = [];

    private constructor(
        readonly folder: string,
        readonly cluster: ControlPlane,
        readonly api: Api,
        readonly world: World,
        readonly line: Line,
        readonly runner: JobRunner,
        readonly env: NodeJS.ProcessEnv,
        private readonly authority: ReturnType<typeof temporaryAuthority>,
    ) {}

    static async open(log: (line: string) => void): Promise<Lab> {
        const folder = mkdtempSync(join(tmpdir(), "mcp-engine-"));
        const temporary = join(folder, "tmp");
        mkdirSync(temporary);
        const cluster = await startControlPlane({ log });
        const api = Api.from(cluster.kubeconfig);
        const authority = temporaryAuthority();
        const world = await World.open(api, authority.issue("nobody"));
        const line = await Line.open(cluster.server);
        const runner = startJobRunner(cluster.kubeconfig, {
            hosts: world.hosts(["production", "staging"].flatMap(hostsOf)),
            env: (namespace) => world.env(namespace),
        });
        const token = join(folder, "admin-token");
        writeFileSync(token, PLANTED);
        const env = {
            ...process.env,
            [ADMIN_API.tokenFile]: token,
            PATH: await openToolchain(stubs(join(folder, "bin"), cluster.kubeconfig), log),
            PULUMI_HOME: join(folder, "home"),
            // The Kubernetes provider leaves a kubeconfig there each time.
            TMPDIR: temporary,
            PULUMI_CONFIG_PASSPHRASE: "x",
            PULUMI_SKIP_UPDATE_CHECK: "true",
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
            // Brings --event-log.
            PULUMI_DEBUG_COMMANDS: "true",
            MCP_STUB_CLUSTER: JSON.stringify({
                endpoint: line.endpoint,
                certificateAuthority: { data: api.ca!.toString("base64") },
            }),
        };
        return new Lab(folder, cluster, api, world, line, runner, env, authority);
    }

    /** A stack with separate state, with the values of the project's file of that name and the edits applied. */
    async stack(name: string, ...edits: string[]): Promise<Stack> {
        return this.started(name, edits, root);
    }

    /** A stack of a copy of the project, whose own file has the values, as a user's has. */
    async stackOfCopy(project: string, name: string, ...edits: string[]): Promise<Stack> {
        return this.started(name, edits, project, project);
    }

    /** A stack of another program, by its folder. */
    async otherStack(name: string, project: string): Promise<Stack> {
        return this.started(name, [], project);
    }

    private async started(
        name: string,
        edits: readonly string[],
        project: string,
        folder = join(this.folder, `stack-${this.stacks.length}`),
    ): Promise<Stack> {
        const stack = new Stack(this, name, folder, edits, project);
        this.stacks.push(stack);
        await stack.init();
        return stack;
    }

    /** What only an operator can give, for a stack with these edits: each as an edit. */
    supplies(stack: string, edits: readonly string[], project = root): string[] {
        const own = [`mcp:aws.accountId=${ACCOUNT}`, "mcp:checklist.unvalidated=no other stack is here"];
        return readStackFile(project, stack, [...own, ...edits])
            .placeholders.flatMap(({ path, placeholder }) =>
                // A list is as long as its placeholder.
                typeof placeholder === "string"
                    ? `${configPath(path)}=${this.supply(stack, path, placeholder)}`
                    : placeholder.map((each, index) => `${configPath([...path, index])}=${each}`),
            )
            .concat(own);
    }

    private supply(stack: string, [concern, name, part]: readonly string[], placeholder: string): string {
        // Any digest will do: nothing is pulled.
        if (concern === "images") return `sha256:${createHash("sha256").update(part!).digest("hex")}`;
        if (concern === "tls") return this.pair(stack, name!)[part as "certificate" | "privateKey"];
        // Ids of the account: any of their form will do.
        return concern === "secrets" ? `${PLANTED}-${name}-${part}` : placeholder;
    }

    private pair(stack: string, name: string): Issued {
        const key = `${stack} ${name}`;
        const pair = this.pairs.get(key) ?? this.authority.issue(name, { hosts: hostsOf(stack), days: 90 });
        this.pairs.set(key, pair);
        return pair;
    }

    /** A self-signed certificate. */
    issue(name: string, hosts: string[]): Issued {
        return this.authority.issue(name, { hosts });
    }

    async close(): Promise<void> {
        await Promise.all(this.stacks.map((stack) => stack.kill()));
        await this.runner.stop();
        this.line.close();
        this.world.close();
        await this.cluster.stop();
        this.authority.remove();
        rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    }
}

/** Host names of a stack's Ingress. */
function hostsOf(stack: string): string[] {
    const file = parse(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8")) as {
        config: { "mcp:ingress": { hosts: { host: string }[] } };
    };
    return file.config["mcp:ingress"].hosts.map(({ host }) => host);
}

/** Commands that the engine and the Kubernetes provider start: stubs of the other providers and of `aws`. */
function stubs(folder: string, kubeconfig: string): Commands {
    const commands = new Commands(folder);
    const plugin = commands.bundle("plugin");
    for (const name of ["aws", "random"]) {
        const file = join(root, "node_modules", "@pulumi", name, "package.json");
        const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
        commands.write(`pulumi-resource-${name}`, `${plugin} ${version} "$@"`);
    }
    // As the kubeconfig of an EKS cluster asks for a token: aws eks get-token --cluster-name NAME …
    const { users } = JSON.parse(readFileSync(kubeconfig, "utf8")) as {
        users: { user: { token: string } }[];
    };
    const credential = {
        apiVersion: "client.authentication.k8s.io/v1beta1",
        kind: "ExecCredential",
        status: { token: users[0]!.user.token },
    };
    commands.write(
        "aws",
        `[ "$1 $2 $3" = "eks get-token --cluster-name" ] || exit 64`,
        `echo '${JSON.stringify(credential)}'`,
    );
    return commands;
}
