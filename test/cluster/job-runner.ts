import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expanded } from "../kubeletVariables";
import { TASK_LABEL } from "../../core/labels";
import { Api, ApiError, type List, type Resource } from "./api";
import { onProcessEnd } from "./process-end";

export interface JobRunnerOptions {
    /** Which pods to play. kwok must leave them alone; control-plane/stages.yaml does so for those of the default. */
    plays?: (pod: Pod) => boolean;
    /** Where the programs reach hosts of the cluster, by name or name:port: {"mcp-server": {host, port}}. */
    hosts?: Record<string, { host: string; port: number }>;
    /** What the cluster adds to the environment of a namespace's pods. Default: nothing. */
    env?: (namespace: string) => Record<string, string>;
    log?: (line: string) => void;
}

export interface JobRun {
    namespace: string;
    pod: string;
    /** Name of the Job that owns the pod. */
    job: string | undefined;
    /** What the program has written so far, on both its outputs. */
    log: string;
    /** Of the ended program; 128 + n when signal n ended it. */
    exitCode: number | undefined;
}

export interface JobRunner {
    /** Every run since the start, oldest first. */
    runs: readonly JobRun[];
    stop(): Promise<void>;
}

export type Pod = Resource<
    {
        nodeName?: string;
        serviceAccountName: string;
        terminationGracePeriodSeconds?: number;
        volumes?: (Source & { name: string })[];
        containers: [Container, ...Container[]];
    },
    { phase: string }
>;

interface Container {
    name: string;
    image: string;
    command?: string[];
    args?: string[];
    workingDir?: string;
    terminationMessagePath: string;
    env?: { name: string; value?: string; valueFrom?: ValueFrom }[];
    envFrom?: { prefix?: string; configMapRef?: Reference; secretRef?: Reference }[];
    volumeMounts?: { name: string; mountPath: string; subPath?: string }[];
}

interface Reference {
    name: string;
    optional?: boolean;
}

interface ValueFrom {
    configMapKeyRef?: Reference & { key: string };
    secretKeyRef?: Reference & { key: string };
    fieldRef?: { fieldPath: string };
}

interface Keys {
    optional?: boolean;
    items?: { key: string; path: string }[];
}

/** A volume, or a part of a projected one. */
interface Source {
    configMap?: Keys & { name: string };
    secret?: Keys & ({ name: string } | { secretName: string });
    downwardAPI?: { items?: { path: string; fieldRef?: { fieldPath: string } }[] };
    serviceAccountToken?: { path: string; audience?: string; expirationSeconds?: number };
    emptyDir?: object;
    projected?: { sources: Source[] };
}

type Files = Record<string, Buffer>;

const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Tasks that look where nothing is beside real pods: into logs, at addresses of pods, into Redis. As in stages.yaml. */
const BEYOND = ["mcp-diagnostics", "mcp-jwks-cache", "mcp-cache-cleanup"];

/** Pods labelled for it, and pods of Jobs that run `node` and can do their work here. */
function playsByDefault({ metadata, spec }: Pod): boolean {
    const ofJob =
        (metadata.ownerReferences?.some(({ kind }) => kind === "Job") ?? false) &&
        !BEYOND.includes(metadata.labels?.[TASK_LABEL] ?? "");
    return (
        metadata.labels?.["mcp/run-by"] === "test-runner" ||
        (ofJob && spec.containers[0].command?.[0] === "node")
    );
}

/**
 * Plays the kubelet for chosen pods: runs the first container's program as a process of this machine, with the
 * environment and the volumes its manifest gives it, and reports how it ended. A container without a command is
 * taken to have Node as its entry point. A program runs once, whatever the restart policy; init containers and
 * further containers are not run.
 */
export function startJobRunner(kubeconfig: string, options: JobRunnerOptions = {}): JobRunner {
    const { plays = playsByDefault, env = () => ({}), log = () => {} } = options;
    const api = Api.from(kubeconfig);
    const hosts = {
        "kubernetes.default.svc": { host: api.server.hostname, port: Number(api.server.port || 443) },
        ...options.hosts,
    };
    const runs: JobRun[] = [];
    const playing = new Map<string, Play>();
    const troubles = new Map<string, string>();
    let stopped = false;

    async function start(pod: Pod): Promise<void> {
        const { uid, namespace, name } = pod.metadata;
        const folder = mkdtempSync(join(tmpdir(), "mcp-job-"));
        // The pod, or the whole control plane, may be gone before the status is written.
        const tell = (phase: string, state: object) =>
            report(api, pod, phase, state).catch((error: Error) => log(error.message));
        try {
            const play = new Play(pod, folder, await prepare(api, pod, folder, hosts, env(namespace!)), tell);
            playing.set(uid, play);
            runs.push(play.run);
            log(`${namespace}/${name} runs`);
            void play.done.then(() => log(`${namespace}/${name} ended with ${play.run.exitCode}`));
        } catch (error) {
            rmSync(folder, { recursive: true, force: true });
            const { message } = error as Error;
            // As a kubelet does: the pod stays Pending, tells why, and is tried again.
            if (troubles.get(uid) === message) return;
            troubles.set(uid, message);
            log(`${namespace}/${name} cannot start: ${message}`);
            await tell("Pending", { waiting: { reason: "CreateContainerConfigError", message } });
        }
    }

    async function look(): Promise<void> {
        const { items } = await api.get<List<Pod>>("/api/v1/pods");
        const kept = new Set(
            items.filter((pod) => !pod.metadata.deletionTimestamp).map((pod) => pod.metadata.uid),
        );
        for (const [uid, play] of playing) if (!kept.has(uid)) play.end();
        for (const pod of items) {
            const { uid } = pod.metadata;
            const waits =
                kept.has(uid) && pod.spec.nodeName && pod.status.phase === "Pending" && !playing.has(uid);
            if (waits && !stopped && plays(pod)) await start(pod);
        }
    }

    const looking = (async () => {
        while (!stopped) {
            await look().catch((error: Error) => log(error.message));
            await sleep(200);
        }
    })();

    return {
        runs,
        async stop() {
            stopped = true;
            await looking;
            for (const play of playing.values()) play.end(0);
            await Promise.all([...playing.values()].map(({ done }) => done));
        },
    };
}

interface Program {
    command: string[];
    env: NodeJS.ProcessEnv;
    cwd: string;
    terminationMessage: string;
}

/** One pod's program, from its start to the report of its end. */
class Play {
    readonly run: JobRun;
    readonly done: Promise<void>;
    private readonly child: ChildProcess;
    private ending = false;

    constructor(
        pod: Pod,
        folder: string,
        program: Program,
        tell: (phase: string, state: object) => Promise<void>,
    ) {
        const {
            command: [file, ...args],
            env,
            cwd,
            terminationMessage,
        } = program;
        const { namespace, name, ownerReferences } = pod.metadata;
        const job = ownerReferences?.find(({ kind }) => kind === "Job")?.name;
        const run: JobRun = { namespace: namespace!, pod: name, job, log: "", exitCode: undefined };
        this.run = run;
        const startedAt = new Date().toISOString();
        this.child = spawn(file!, args, { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
        const forget = onProcessEnd(() => {
            this.child.kill("SIGKILL");
            rmSync(folder, { recursive: true, force: true });
        });
        for (const output of [this.child.stdout!, this.child.stderr!]) {
            output.setEncoding("utf8").on("data", (text: string) => (run.log += text));
        }
        const ended = new Promise<number>((end) => {
            this.child.once("error", (error) => {
                run.log += `${error.message}\n`;
                end(128);
            });
            this.child.once("close", (code, signal) => end(code ?? 128 + constants.signals[signal!]));
        });
        this.done = (async () => {
            await tell("Running", { running: { startedAt } });
            const exitCode = await ended;
            run.exitCode = exitCode;
            const message = textOf(terminationMessage) || run.log.slice(-2048);
            const reason = exitCode === 0 ? "Completed" : "Error";
            forget();
            rmSync(folder, { recursive: true, force: true });
            await tell(exitCode === 0 ? "Succeeded" : "Failed", {
                terminated: { exitCode, reason, message, startedAt, finishedAt: new Date().toISOString() },
            });
        })();
    }

    /** Asks the program to end, and makes it after the grace period. */
    end(seconds = 2): void {
        if (this.ending) return;
        this.ending = true;
        this.child.kill("SIGTERM");
        setTimeout(() => this.child.kill("SIGKILL"), seconds * 1000).unref();
    }
}

async function report(api: Api, { metadata, spec }: Pod, phase: string, state: object): Promise<void> {
    const { name, image } = spec.containers[0];
    const ready = phase === "Running";
    await api.patch(`/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/status`, {
        // A pod of the same name that came after this one is another pod.
        metadata: { uid: metadata.uid },
        status: {
            phase,
            conditions: ["Initialized", "ContainersReady", "Ready"].map((type) => ({
                type,
                status: ready || type === "Initialized" ? "True" : "False",
                lastTransitionTime: new Date().toISOString(),
            })),
            containerStatuses: [{ name, image, imageID: "", ready, started: ready, restartCount: 0, state }],
        },
    });
}

/** Writes the pod's volumes below the folder, and says what to run and how. */
async function prepare(
    api: Api,
    pod: Pod,
    folder: string,
    hosts: JobRunnerOptions["hosts"],
    given: Record<string, string>,
): Promise<Program> {
    const container = pod.spec.containers[0];
    const volumes = join(folder, "volumes");
    for (const { name, ...source } of pod.spec.volumes ?? []) {
        const volume = join(volumes, name);
        mkdirSync(volume, { recursive: true });
        for (const [path, content] of Object.entries(await filesOf(api, pod, source))) {
            mkdirSync(dirname(join(volume, path)), { recursive: true });
            writeFileSync(join(volume, path), content);
        }
    }

    const terminationMessage = join(folder, "termination-message");
    const mounts = (container.volumeMounts ?? [])
        .map(({ name, mountPath, subPath = "" }): [string, string] => [
            mountPath.replace(/(?<=.)\/$/, ""),
            join(volumes, name, subPath),
        ])
        .concat([[container.terminationMessagePath, terminationMessage]])
        // The longest first: a volume may be mounted inside another.
        .sort(([a], [b]) => b.length - a.length);
    // A path counts where no other path runs through it: /opt/gate is neither in /opt/gates nor in /srv/opt/gate.
    const paths = mounts.map(([path]) => path.replace(/[^\w/]/g, "\\$&")).join("|");
    const pattern = new RegExp(`(?:(?<=file://)|(?<![\\w./-]))(?:${paths})(?![\\w.-])`, "g");
    const folders = new Map(mounts);
    const mapped = (text: string) => text.replace(pattern, (path) => folders.get(path)!);

    const server = api.server;
    const port = server.port || "443";
    const mounted = mounts.some(([path]) => path === serviceAccountFolder);
    const declared = await environmentOf(api, pod, {
        ...given,
        PATH: process.env["PATH"]!,
        HOSTNAME: pod.metadata.name,
        KUBERNETES_SERVICE_HOST: server.hostname,
        KUBERNETES_SERVICE_PORT: port,
        KUBERNETES_SERVICE_PORT_HTTPS: port,
        MCP_KUBERNETES_SERVER: server.origin,
        ...(mounted && {
            MCP_KUBERNETES_TOKEN_FILE: `${serviceAccountFolder}/token`,
            MCP_KUBERNETES_CA_FILE: `${serviceAccountFolder}/ca.crt`,
        }),
    });
    const env = Object.fromEntries(Object.entries(declared).map(([name, value]) => [name, mapped(value)]));
    const preload = `--require ${JSON.stringify(join(__dirname, "job-preload.cjs"))}`;
    const words = [...(container.command ?? ["node"]), ...(container.args ?? [])];
    const [file = "node", ...args] = words.map((word) => mapped(expanded(word, declared)));
    return {
        command: [basename(file) === "node" ? process.execPath : file, ...args],
        cwd: container.workingDir ? mapped(container.workingDir) : folder,
        terminationMessage,
        env: {
            ...env,
            NODE_OPTIONS: [preload, env["NODE_OPTIONS"]].filter(Boolean).join(" "),
            MCP_JOB_RUNNER: JSON.stringify({ hosts, mounts, folder }),
        },
    };
}

async function environmentOf(
    api: Api,
    pod: Pod,
    given: Record<string, string>,
): Promise<Record<string, string>> {
    const { env = [], envFrom = [] } = pod.spec.containers[0];
    const result = { ...given };
    for (const { prefix = "", configMapRef, secretRef } of envFrom) {
        const data = configMapRef
            ? await dataOf(api, pod, "configmaps", configMapRef)
            : await dataOf(api, pod, "secrets", secretRef!);
        for (const [key, value] of Object.entries(data)) result[prefix + key] = value.toString();
    }
    for (const { name, value, valueFrom } of env) {
        const found = valueFrom ? await valueOf(api, pod, valueFrom) : expanded(value ?? "", result);
        if (found !== undefined) result[name] = found;
    }
    return result;
}

async function valueOf(api: Api, pod: Pod, from: ValueFrom): Promise<string | undefined> {
    const { configMapKeyRef, secretKeyRef, fieldRef } = from;
    if (fieldRef) return fieldOf(pod, fieldRef.fieldPath);
    const reference = configMapKeyRef ?? secretKeyRef;
    if (!reference) throw new Error(`The job runner knows no value from ${Object.keys(from).join()}`);
    const kind = configMapKeyRef ? "configmaps" : "secrets";
    const value = (await dataOf(api, pod, kind, reference))[reference.key];
    if (value === undefined && !reference.optional)
        throw new Error(`No ${reference.key} in ${kind} ${reference.name}`);
    return value?.toString();
}

async function filesOf(api: Api, pod: Pod, source: Source): Promise<Files> {
    const { configMap, secret, downwardAPI, serviceAccountToken, emptyDir, projected } = source;
    if (configMap) return chosen(await dataOf(api, pod, "configmaps", configMap), configMap);
    if (secret) {
        const name = "secretName" in secret ? secret.secretName : secret.name;
        return chosen(await dataOf(api, pod, "secrets", { name, optional: secret.optional }), secret);
    }
    if (serviceAccountToken) {
        const { path, audience, expirationSeconds } = serviceAccountToken;
        return { [path]: Buffer.from(await tokenOf(api, pod, audience, expirationSeconds)) };
    }
    if (downwardAPI) {
        const items = downwardAPI.items ?? [];
        return Object.fromEntries(
            items.map(({ path, fieldRef }) => [path, Buffer.from(fieldOf(pod, fieldRef?.fieldPath ?? ""))]),
        );
    }
    if (projected) {
        const parts = projected.sources.map((part) => filesOf(api, pod, part));
        return Object.assign({}, ...(await Promise.all(parts))) as Files;
    }
    if (emptyDir) return {};
    throw new Error(`The job runner knows no volume of ${Object.keys(source).join()}`);
}

function chosen(data: Files, { items, optional }: Keys): Files {
    if (!items) return data;
    return Object.fromEntries(
        items.flatMap(({ key, path }) => {
            const content = data[key];
            if (content === undefined && !optional) throw new Error(`No ${key} for the volume's ${path}`);
            return content === undefined ? [] : [[path, content]];
        }),
    );
}

async function dataOf(api: Api, pod: Pod, kind: "configmaps" | "secrets", of: Reference): Promise<Files> {
    type Data = { data?: Record<string, string>; binaryData?: Record<string, string> };
    const path = `/api/v1/namespaces/${pod.metadata.namespace}/${kind}/${of.name}`;
    const { data = {}, binaryData = {} } = await api.get<Data>(path).catch((error: unknown): Data => {
        if (of.optional && error instanceof ApiError && error.status === 404) return {};
        throw error;
    });
    const files: Files = {};
    for (const [key, value] of Object.entries(data)) {
        files[key] = Buffer.from(value, kind === "secrets" ? "base64" : "utf8");
    }
    for (const [key, value] of Object.entries(binaryData)) files[key] = Buffer.from(value, "base64");
    return files;
}

async function tokenOf(api: Api, pod: Pod, audience?: string, expirationSeconds?: number): Promise<string> {
    const { namespace, name, uid } = pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${pod.spec.serviceAccountName}/token`;
    const request = {
        audiences: audience ? [audience] : undefined,
        expirationSeconds,
        // The token dies with the pod, as a kubelet's does.
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
    };
    const { status } = await api.post<{ status: { token: string } }>(path, { spec: request });
    return status.token;
}

function fieldOf(pod: Pod, path: string): string {
    const [, map, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
    const keys = map && key ? ["metadata", map, key] : path.split(".");
    let value: unknown = pod;
    for (const part of keys) value = (value as Record<string, unknown> | undefined)?.[part];
    if (typeof value === "string") return value;
    if (map) return "";
    throw new Error(`The job runner cannot tell the pod's field ${path}`);
}

function textOf(path: string): string {
    try {
        return readFileSync(path, "utf8");
    } catch {
        return "";
    }
}
