import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GoTools } from "../goTools";
import { Api, eventually, type List, type Resource } from "./api";
import { onProcessEnd } from "./process-end";

export interface ControlPlane {
    /** Path of a kubeconfig file with every right. */
    kubeconfig: string;
    /** The command of this version; of a cluster that was lent, the one on PATH. */
    kubectl: string;
    server: URL;
    /** Ids of the processes of this control plane; none for a cluster that was lent. */
    processes: readonly number[];
    /** Tokens of the nodes, by their names; none for a cluster that was lent. */
    nodeTokens: Readonly<Record<string, string>>;
    stop(): Promise<void>;
}

export interface Options {
    log?: (line: string) => void;
}

const source = join(__dirname, "control-plane");
const kubernetes = join(source, "kubernetes");
const [, version, major, minor] = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\S*)/.exec(
    readFileSync(join(kubernetes, "go.mod"), "utf8"),
)!;

// A server built from a module reports v0.0.0-master by default; clients parse the version.
const stamp = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
/** Zones that have a node each. */
const ZONES = ["ap-south-1a", "ap-south-1b", "ap-south-1c"];

/** The programs of the control plane. */
export const controlPlane = new GoTools(
    "control-plane",
    [kubernetes, join(source, "kwok")],
    Object.fromEntries(
        Object.entries(stamp).map(([name, value]) => [`k8s.io/component-base/version.${name}`, value!]),
    ),
);

/** Of a cluster whose owner says that tests may use it. */
export const lent = process.env["MCP_TEST_CLUSTER_CONFIRM"] === "yes" ? process.env["KUBECONFIG"] : undefined;

/** Why there is no cluster to test with, in plain words; undefined when there is one. */
export function whyNoCluster(): string | undefined {
    const missing = lent ? undefined : controlPlane.whyNot();
    return (
        missing && `${missing}, and no KUBECONFIG of a cluster lent for tests (MCP_TEST_CLUSTER_CONFIRM=yes)`
    );
}

/** The cluster lent by KUBECONFIG and MCP_TEST_CLUSTER_CONFIRM=yes, or else a control plane of our own. */
export async function openCluster(options: Options = {}): Promise<ControlPlane> {
    if (!lent) return startControlPlane(options);
    return {
        kubeconfig: lent,
        kubectl: "kubectl",
        server: Api.from(lent).server,
        processes: [],
        nodeTokens: {},
        stop: async () => {},
    };
}

/**
 * Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok on loopback, with a node in each
 * of three zones. There are no kubelets: kwok plays the pods as control-plane/stages.yaml says.
 */
export async function startControlPlane(options: Options = {}): Promise<ControlPlane> {
    const { log = () => {} } = options;
    const bin = await controlPlane.build(log);
    const folder = mkdtempSync(join(tmpdir(), "mcp-control-plane-"));
    const at = (name: string) => join(folder, name);
    const children: ChildProcess[] = [];
    const deaths: Promise<never>[] = [];
    let stopping = false;

    const kill = () => {
        stopping = true;
        // Nothing is worth an orderly end: the data goes with them.
        for (const child of children) child.kill("SIGKILL");
    };
    // Tried again when a process just killed still had a file to write.
    const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    const forget = onProcessEnd(() => {
        kill();
        remove();
    });
    const stop = async () => {
        kill();
        await Promise.all(children.map(ended));
        remove();
        forget();
    };

    const start = (name: string, flags: Record<string, string | number | boolean>, binary = name) => {
        const out = openSync(at(`${name}.log`), "a");
        const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
        const child = spawn(join(bin, binary), args, { cwd: folder, stdio: ["ignore", out, out] });
        closeSync(out);
        children.push(child);
        const death = ended(child).then((how) => {
            if (stopping) return new Promise<never>(() => {});
            log(`${name} ended with ${how}`);
            throw new Error(`${name} ended with ${how}. ${told(name)}`);
        });
        death.catch(() => {});
        deaths.push(death);
    };

    const told = (name: string) =>
        `${name} said last:\n${lastLines(readFileSync(at(`${name}.log`), "utf8"))}`;
    const until = <T>(what: string, by: string, check: () => T | Promise<T>) => {
        const checked = eventually(what, check, 60).catch((error: Error) => {
            throw new Error(`${error.message}. ${told(by)}`);
        });
        return Promise.race([checked, ...deaths]);
    };

    try {
        const began = Date.now();
        const [etcdPort, port] = (await freePorts(2)) as [number, number];
        const server = new URL(`https://127.0.0.1:${port}`);
        const etcd = `http://127.0.0.1:${etcdPort}`;

        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
        writeFileSync(at("service-accounts.key"), privateKey.export({ type: "sec1", format: "pem" }));
        const users = [
            { name: "admin", group: "system:masters" },
            { name: "kwok", group: "system:masters" },
            { name: "system:kube-controller-manager", group: "" },
            { name: "system:kube-scheduler", group: "" },
            ...ZONES.map((zone) => ({ name: `system:node:node-${zone}`, group: "system:nodes" })),
        ].map((user) => ({ ...user, token: randomBytes(24).toString("hex") }));
        writeFileSync(
            at("tokens.csv"),
            users.map(({ token, name, group }) => `${token},${name},${name},"${group}"\n`).join(""),
        );

        start(
            "etcd",
            {
                "data-dir": at("etcd"),
                "listen-client-urls": etcd,
                "advertise-client-urls": etcd,
                "listen-peer-urls": "http://127.0.0.1:0",
                "unsafe-no-fsync": true,
                "log-level": "warn",
            },
            // Go names a binary by the last part of its package's path: go.etcd.io/etcd/server/v3.
            "server",
        );
        start("kube-apiserver", {
            "etcd-servers": etcd,
            "bind-address": "127.0.0.1",
            "advertise-address": "127.0.0.1",
            "secure-port": port,
            // Makes its own serving certificate here; apiserver.crt also holds the CA that signed it.
            "cert-dir": folder,
            // No Endpoints of the kubernetes Service: the API refuses loopback addresses in them.
            "endpoint-reconciler-type": "none",
            "service-cluster-ip-range": "10.96.0.0/16",
            "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
            "service-account-key-file": at("service-accounts.key"),
            "service-account-signing-key-file": at("service-accounts.key"),
            "token-auth-file": at("tokens.csv"),
            "anonymous-auth": false,
            // As on EKS: a node has rights on itself, and on the pods that it runs.
            "authorization-mode": "Node,RBAC",
            "enable-admission-plugins": "NodeRestriction",
            // As on every managed cluster: then PodSecurity is what refuses a privileged pod.
            "allow-privileged": true,
        });
        const ca = at("apiserver.crt");
        await until("kube-apiserver has a certificate", "kube-apiserver", () => existsSync(ca));
        for (const { name, token } of users) {
            const config = kubeconfig(server, readFileSync(ca), name, token);
            writeFileSync(at(`${name}.kubeconfig`), JSON.stringify(config, null, 2), { mode: 0o600 });
        }
        const api = Api.from(at("admin.kubeconfig"));
        await until("kube-apiserver is ready", "kube-apiserver", () => api.get("/readyz"));

        start("kube-controller-manager", {
            kubeconfig: at("system:kube-controller-manager.kubeconfig"),
            "use-service-account-credentials": true,
            "service-account-private-key-file": at("service-accounts.key"),
            "root-ca-file": ca,
            // The default of 20 calls a second would be most of the time to start.
            "kube-api-qps": 1000,
            "kube-api-burst": 1000,
            // A release waits for the autoscaler's next look: of the default of 15 seconds, half on average.
            "horizontal-pod-autoscaler-sync-period": "1s",
            "leader-elect": false,
            "secure-port": 0,
        });
        start("kube-scheduler", {
            kubeconfig: at("system:kube-scheduler.kubeconfig"),
            "leader-elect": false,
            "secure-port": 0,
        });
        start("kwok", {
            kubeconfig: at("kwok.kubeconfig"),
            config: join(source, "stages.yaml"),
            "manage-all-nodes": true,
            // The controllers call a node without a lease lost after a while.
            "node-lease-duration-seconds": 40,
        });
        for (const zone of ZONES) await api.post("/api/v1/nodes", node(zone));

        await until("three nodes are ready", "kwok", async () => {
            const { items } = await api.get<List<Resource<NodeSpec, NodeStatus>>>("/api/v1/nodes");
            return items.every(
                ({ spec, status }) =>
                    !spec.taints?.length &&
                    status.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
            );
        });
        // Without it the API refuses every pod of the namespace.
        await until("namespace default has its service account", "kube-controller-manager", () =>
            api.get("/api/v1/namespaces/default/serviceaccounts/default"),
        );
        log(`Kubernetes ${version} at ${server.href} after ${Date.now() - began} ms`);
        return {
            kubeconfig: at("admin.kubeconfig"),
            kubectl: join(bin, "kubectl"),
            server,
            processes: children.map(({ pid }) => pid!),
            nodeTokens: Object.fromEntries(
                users.flatMap(({ name, token }) =>
                    name.startsWith("system:node:") ? [[name.slice("system:node:".length), token]] : [],
                ),
            ),
            stop,
        };
    } catch (error) {
        await stop();
        throw error;
    }
}

interface NodeSpec {
    taints?: object[];
}

interface NodeStatus {
    conditions?: { type: string; status: string }[];
}

function node(zone: string): object {
    const capacity = { cpu: "16", memory: "64Gi", "ephemeral-storage": "200Gi", pods: "110" };
    return {
        apiVersion: "v1",
        kind: "Node",
        metadata: {
            name: `node-${zone}`,
            labels: {
                "kubernetes.io/hostname": `node-${zone}`,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "topology.kubernetes.io/region": zone.slice(0, -1),
                "topology.kubernetes.io/zone": zone,
            },
        },
        status: { capacity, allocatable: capacity },
    };
}

function kubeconfig(server: URL, ca: Buffer, user: string, token: string): object {
    const name = "mcp-control-plane";
    return {
        apiVersion: "v1",
        kind: "Config",
        "current-context": name,
        contexts: [{ name, context: { cluster: name, user } }],
        clusters: [
            { name, cluster: { server: server.origin, "certificate-authority-data": ca.toString("base64") } },
        ],
        users: [{ name: user, user: { token } }],
    };
}

/** Ports that are free now: all are held before any is given back, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
    const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
    await Promise.all(servers.map((server) => new Promise((done) => server.once("listening", done))));
    const ports = servers.map((server) => (server.address() as AddressInfo).port);
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    return ports;
}

function ended(child: ChildProcess): Promise<string> {
    return new Promise((done) => {
        if (child.exitCode !== null || child.signalCode !== null)
            done(`${child.signalCode ?? child.exitCode}`);
        child.once("exit", (code, signal) => done(signal ?? `code ${code}`));
        child.once("error", (error) => done(error.message));
    });
}

function lastLines(text: string): string {
    return text.trimEnd().split("\n").slice(-15).join("\n");
}
