import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Server, ServerCredentials, type ServerUnaryCall } from "@grpc/grpc-js";
import { type ILanguageRuntimeServer, LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import {
    GetRequiredPackagesResponse,
    LanguageHandshakeResponse,
    type ProgramInfo,
    RunPluginResponse,
    RunResponse,
} from "@pulumi/pulumi/proto/language_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";

/*
 * Replaces pulumi-language-nodejs, which is not published as a Go module: it runs programs and policy packs by Node and
 * their SDK. It installs and generates nothing.
 */

/** How the SDK ends a program that has already reported its errors. */
const REPORTED = 32;

const [engine] = process.argv.slice(2) as [string];
const children = new Set<ChildProcess>();

/** Starts a script of the SDK that a program uses, and waits for its exit code; undefined where a signal ended it. */
function run(
    script: "run" | "run-policy-pack",
    program: ProgramInfo,
    args: readonly string[],
    options: SpawnOptions,
    watch: (child: ChildProcess) => void = () => {},
): Promise<number | undefined> {
    const sdk = createRequire(join(program.getProgramDirectory(), "package.json"));
    const path = sdk.resolve(`@pulumi/pulumi/cmd/${script}`);
    return new Promise((done, fail) => {
        const child = spawn(process.execPath, [path, ...args], options);
        children.add(child);
        watch(child);
        child.once("error", fail);
        child.once("close", (code) => {
            children.delete(child);
            done(code ?? undefined);
        });
    });
}

function endChildren(): void {
    for (const child of children) child.kill("SIGKILL");
}

const host: Partial<ILanguageRuntimeServer> = {
    handshake: (_, callback) => callback(null, new LanguageHandshakeResponse()),
    getPluginInfo: (_, callback) => callback(null, new PluginInfo()),
    // The SDK names the plugin of each resource when it registers the resource.
    getRequiredPackages: (_, callback) => callback(null, new GetRequiredPackagesResponse()),
    run: ({ request }, callback) => {
        const program = request.getInfo()!;
        const flags = {
            monitor: request.getMonitorAddress(),
            engine,
            organization: request.getOrganization(),
            project: request.getProject(),
            "root-directory": program.getRootDirectory(),
            stack: request.getStack(),
            pwd: request.getPwd(),
            parallel: String(request.getParallel()),
        };
        const args = [
            ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
            ...(request.getDryrun() ? ["--dry-run"] : []),
            program.getEntryPoint(),
            ...request.getArgsList(),
        ];
        const env = {
            ...process.env,
            PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toObject(true))),
            PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
            PULUMI_NODEJS_TYPESCRIPT: "true",
        };
        // What the program prints is read by the engine from here.
        run("run", program, args, { env, stdio: ["ignore", "inherit", "inherit"] }).then(
            (code) => {
                const response = new RunResponse();
                if (code === REPORTED) response.setBail(true);
                else if (code !== 0) response.setError(`Program exited with code ${code ?? "of a signal"}`);
                callback(null, response);
            },
            (error: Error) => callback(error),
        );
    },
    runPlugin: (call) => {
        const request = call.request;
        const program = request.getInfo()!;
        if (request.getKind() !== "analyzer") {
            call.destroy(new Error(`cannot run a plugin of kind ${request.getKind()}`));
            return;
        }
        const args = [...request.getArgsList(), program.getProgramDirectory()];
        const own = Object.fromEntries(request.getEnvList().map((entry) => entry.split(/=(.*)/s, 2)));
        const env = { ...process.env, ...own };
        // As Pulumi's own host does: a policy pack has its own folder as working directory, whatever the engine says.
        const options = { cwd: program.getProgramDirectory(), env };
        run("run-policy-pack", program, args, options, (child) => {
            child.stdout!.on("data", (text: Buffer) => call.write(new RunPluginResponse().setStdout(text)));
            child.stderr!.on("data", (text: Buffer) => call.write(new RunPluginResponse().setStderr(text)));
            call.once("cancelled", () => child.kill());
        }).then(
            (code) => {
                call.write(new RunPluginResponse().setExitcode(code ?? 1));
                call.end();
            },
            (error: Error) => call.destroy(error),
        );
    },
    cancel: (_: ServerUnaryCall<Empty, Empty>, callback) => {
        endChildren();
        callback(null, new Empty());
    },
};

const server = new Server();
server.addService(LanguageRuntimeService, host as ILanguageRuntimeServer);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    // The engine reads the port from the first line.
    console.log(port);
});

process.on("exit", endChildren);
// An engine that is killed cannot end its plugins.
const parent = process.ppid;
setInterval(() => {
    if (process.ppid !== parent) process.exit();
}, 1000);
