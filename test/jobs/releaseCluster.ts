import * as assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:https";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { Kubernetes } from "../../jobs/lib/kubernetes";
import { type HistoryEntry } from "../../jobs/lib/releaseHistory";
import { listen } from "./servers";

type Json = Record<string, unknown>;
type Labels = Record<string, string>;

interface Stored extends Json {
    metadata: { name: string; uid: string; resourceVersion: string; generation?: number; labels?: Labels };
}

export interface PodState {
    ready?: boolean;
    restarts?: number;
    /** Program of its container. Default: none. */
    image?: string;
    waiting?: { reason: string; message?: string };
    /** Of condition PodScheduled. */
    unschedulable?: string;
    lastState?: object;
    deleted?: boolean;
}

export const namespace = "mcp-production";
export const app = "mcp-server";
const token = "t0ken";

/** The counters a pod shows; nothing while it is out of reach. */
export interface Counters {
    requests: number;
    errors: number;
}

/**
 * The few endpoints of the Kubernetes API that the gates use, over TLS, with their rules of versions and rights; and
 * pods' metrics at 127.0.0.x. It plays no controllers: a test sets what they would.
 */
export class FakeCluster {
    private readonly objects = new Map<string, Stored>();
    private readonly closers: (() => void)[] = [];
    private readonly counts = new Map<string, number>();
    private version = 0;
    private ca = "";
    private server!: Server;
    private metrics!: ReturnType<typeof createHttpServer>;

    /** "get services": refused with 403. */
    denied = new Set<string>();
    /** Called with "get services" and how often that has been asked, before it is answered. */
    onRequest: (request: string, nth: number) => void = () => {};
    /** Status every request is answered with; "dropped" for a broken connection. */
    failing: number | "dropped" | undefined;
    /** By IP address. */
    counters = new Map<string, Counters>();
    /** Prometheus' answers, by what the query contains. */
    prometheus: (query: string) => { status?: number; body: unknown } = () => ({ body: {} });

    /** Starts it, with a self-signed certificate in `folder`, which becomes a ServiceAccount's folder. */
    async start(folder: string): Promise<void> {
        mkdirSync(folder, { recursive: true });
        const [key, ca] = [join(folder, "key.pem"), join(folder, "ca.crt")];
        execFileSync(
            "openssl",
            [
                ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
                ...["-days", "2", "-subj", "/CN=fake", "-addext", "subjectAltName=IP:127.0.0.1"],
                ...["-keyout", key, "-out", ca],
            ],
            { stdio: "ignore" },
        );
        writeFileSync(join(folder, "token"), `${token}\n`);
        this.ca = readFileSync(ca, "utf8");
        this.server = createServer({ key: readFileSync(key), cert: this.ca }, (request, response) => {
            let body = "";
            request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
            request.on("end", () => {
                if (this.failing === "dropped") return void request.socket.destroy();
                assert.equal(request.headers.authorization, `Bearer ${token}`);
                if (body !== "")
                    assert.equal(request.headers["content-type"], "application/merge-patch+json");
                const [status, answer] = this.answer(request.method!, request.url!, body);
                response
                    .writeHead(status, { "content-type": "application/json" })
                    .end(JSON.stringify(answer));
            });
        });
        this.metrics = createHttpServer((request, response) => {
            const url = new URL(request.url!, "http://localhost");
            if (url.pathname === "/api/v1/query") {
                const { status = 200, body } = this.prometheus(url.searchParams.get("query")!);
                return void response.writeHead(status).end(JSON.stringify(body));
            }
            const counters = this.counters.get(request.socket.localAddress!);
            if (counters === undefined) return void request.socket.destroy();
            if (url.pathname !== "/metrics") return void response.writeHead(404).end();
            const { requests, errors } = counters;
            response.end(
                "# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\n" +
                    `http_requests_total{path="/mcp",status="200"} ${requests - errors}\n` +
                    `http_requests_total{path="/mcp",status="502"} ${errors} 1700000000000\n` +
                    'http_requests_total{path="/health",status="200"} 1e+06\nother_total 7\n',
            );
        });
        for (const [server, address] of [
            [this.server, "127.0.0.1"] as const,
            [this.metrics, "0.0.0.0"] as const,
        ]) {
            this.closers.push((await listen(server, address)).close);
        }
    }

    stop(): void {
        for (const close of this.closers.splice(0)) close();
    }

    /** As before the first test. */
    reset(): void {
        this.objects.clear();
        this.counts.clear();
        this.denied.clear();
        this.counters.clear();
        this.onRequest = () => {};
        this.failing = undefined;
    }

    get port(): number {
        return (this.server.address() as AddressInfo).port;
    }

    get metricsPort(): number {
        return (this.metrics.address() as AddressInfo).port;
    }

    /** A client with the token that is let in, and with little patience. */
    client(log: (line: string) => void): Kubernetes {
        return new Kubernetes({
            server: { host: "127.0.0.1", port: this.port, ca: this.ca },
            token: () => token,
            namespace,
            log,
            patienceSeconds: 0.3,
            pauseSeconds: 0.02,
        });
    }

    /** Creates or replaces an object. */
    put(resource: string, name: string, content: Json, labels: Labels = {}): void {
        const path = `${resource}/${name}`;
        const before = this.objects.get(path)?.metadata;
        const metadata = {
            name,
            uid: `uid-of-${name}`,
            generation: before?.generation ?? 1,
            ...(content["metadata"] as object | undefined),
            labels,
            resourceVersion: String((this.version += 1)),
        };
        this.objects.set(path, { ...content, metadata });
    }

    remove(resource: string, name: string): void {
        this.objects.delete(`${resource}/${name}`);
    }

    object<T extends Json = Json>(resource: string, name: string): T & Stored {
        return this.objects.get(`${resource}/${name}`) as T & Stored;
    }

    /** Bounds of a colour's replicas. */
    autoscaler(colour: string, minReplicas: number, maxReplicas: number): void {
        this.put("horizontalpodautoscalers", `${app}-${colour}`, { spec: { minReplicas, maxReplicas } });
    }

    service(colour: string | undefined): void {
        this.put("services", app, { spec: { selector: { app, ...(colour && { version: colour }) } } });
    }

    /** A Deployment whose controller has caught up, by default. */
    deployment(colour: string, replicas: number, status: Json = {}, generation = 1): void {
        this.put("deployments", `${app}-${colour}`, {
            metadata: { generation },
            spec: { replicas },
            status: {
                observedGeneration: generation,
                replicas,
                updatedReplicas: replicas,
                readyReplicas: replicas,
                ...status,
            },
        });
    }

    /** A pod of a colour, of the name <app>-<colour>-<n> and the address 127.0.0.<n + 1>. */
    pod(colour: string, n: number, { ready = true, restarts = 0, ...rest }: PodState = {}): string {
        const name = `${app}-${colour}-${n}`;
        const ip = `127.0.0.${n + 1}`;
        const scheduled = rest.unschedulable === undefined;
        const container = {
            name: "server",
            ready,
            restartCount: restarts,
            state: rest.waiting === undefined ? { running: {} } : { waiting: rest.waiting },
            lastState: rest.lastState ?? {},
        };
        this.put(
            "pods",
            name,
            {
                metadata: rest.deleted ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {},
                ...(rest.image && { spec: { containers: [{ name: "server", image: rest.image }] } }),
                status: {
                    phase: scheduled ? "Running" : "Pending",
                    ...(scheduled ? { podIP: ip, containerStatuses: [container] } : {}),
                    conditions: [
                        { type: "Ready", status: ready ? "True" : "False" },
                        scheduled
                            ? { type: "PodScheduled", status: "True" }
                            : {
                                  type: "PodScheduled",
                                  status: "False",
                                  reason: "Unschedulable",
                                  message: rest.unschedulable,
                              },
                    ],
                },
            },
            { app, version: colour },
        );
        return ip;
    }

    /** The Service's endpoints. */
    endpoints(...names: string[]): void {
        const endpoints = names.map((name) => ({
            conditions: { ready: true },
            targetRef: { kind: "Pod", name },
        }));
        this.put("endpointslices", `${app}-1`, { endpoints }, { "kubernetes.io/service-name": app });
    }

    ledger(data: Record<string, string> = {}): void {
        this.put("configmaps", "mcp-releases", { data });
    }

    get data(): Record<string, string> {
        return (this.object("configmaps", "mcp-releases")["data"] ?? {}) as Record<string, string>;
    }

    get entries(): HistoryEntry[] {
        return JSON.parse(this.data[app] ?? "[]") as HistoryEntry[];
    }

    asked(request: string): number {
        return this.counts.get(request) ?? 0;
    }

    private answer(method: string, url: string, body: string): [number, unknown] {
        const { pathname, searchParams } = new URL(url, "https://fake");
        const [, root, group = "", inNamespace, resource = "", name, sub] =
            /^\/(api|apis)(\/[^/]+)?\/v[12]\/namespaces\/([^/]+)\/([a-z]+)(?:\/([^/]+))?(?:\/([a-z]+))?$/.exec(
                pathname,
            )!;
        assert.equal(inNamespace, namespace);
        const groups: Labels = {
            cronjobs: "apis/batch",
            deployments: "apis/apps",
            endpointslices: "apis/discovery.k8s.io",
            horizontalpodautoscalers: "apis/autoscaling",
            ingresses: "apis/networking.k8s.io",
            jobs: "apis/batch",
            networkpolicies: "apis/networking.k8s.io",
            poddisruptionbudgets: "apis/policy",
            rolebindings: "apis/rbac.authorization.k8s.io",
            roles: "apis/rbac.authorization.k8s.io",
        };
        assert.equal(root + group, groups[resource] ?? "api");

        const verb = method === "PATCH" ? "patch" : name === undefined ? "list" : "get";
        const request = `${verb} ${resource}${sub === undefined ? "" : `/${sub}`}`;
        const nth = this.asked(request) + 1;
        this.counts.set(request, nth);
        this.onRequest(request, nth);
        if (typeof this.failing === "number") return [this.failing, status(`injected ${this.failing}`)];
        if (this.denied.has(request)) return [403, status(`${resource} is forbidden: cannot ${verb}`)];
        if (name === undefined)
            return [200, { items: this.labelled(resource, searchParams.get("labelSelector") ?? "") }];
        const object = this.object(resource, name);
        if (object === undefined) return [404, status(`${resource} "${name}" not found`)];
        if (verb === "get") return [200, object];

        const { metadata, ...rest } = JSON.parse(body) as Json & { metadata?: { resourceVersion?: string } };
        const wanted = metadata?.resourceVersion;
        if (wanted !== undefined && wanted !== object.metadata.resourceVersion) {
            return [409, status("the object has been modified")];
        }
        const patched = merged(object, rest) as Stored;
        if (sub === "scale") patched.metadata.generation! += 1;
        this.put(resource, name, patched, object.metadata.labels);
        return [200, this.object(resource, name)];
    }

    private labelled(resource: string, selector: string): Stored[] {
        const pairs = selector === "" ? [] : selector.split(",");
        const wanted = pairs.map((pair) => pair.split("=") as [string, string]);
        return [...this.objects]
            .filter(([path]) => path.startsWith(`${resource}/`))
            .map(([, object]) => object)
            .filter(({ metadata }) => wanted.every(([label, value]) => metadata.labels?.[label] === value));
    }
}

function status(message: string): Json {
    return { kind: "Status", message };
}

/** A JSON merge patch. */
function merged(target: unknown, patch: unknown): unknown {
    if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
    const result = { ...(target as Json | undefined) };
    for (const [key, value] of Object.entries(patch)) {
        if (value === null) delete result[key];
        else result[key] = merged(result[key], value);
    }
    return result;
}
