import { readFileSync } from "node:fs";
import { type IncomingMessage } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GateError, throwIfStopped } from "./gate";
import { describeError, reasonOf, withTimeout } from "./http";

/** The fields of Kubernetes objects that gates read. */
export interface Metadata {
    name: string;
    uid: string;
    resourceVersion: string;
    generation?: number;
    deletionTimestamp?: string;
}

export interface ConfigMap {
    metadata: Metadata;
    data?: Record<string, string>;
}

export interface Service {
    metadata: Metadata;
    spec: { selector?: Record<string, string> };
}

export interface Ingress {
    metadata: Metadata & { annotations?: Record<string, string> };
}

export interface Condition {
    type: string;
    status: "True" | "False" | "Unknown";
    reason?: string;
    message?: string;
    /** In ISO 8601. */
    lastTransitionTime?: string;
}

export interface Job {
    metadata: Metadata;
    status?: { conditions?: Condition[] };
}

export interface Deployment {
    metadata: Metadata;
    spec: { replicas?: number; template?: { metadata?: { labels?: Record<string, string> } } };
    status: {
        observedGeneration?: number;
        replicas?: number;
        updatedReplicas?: number;
        readyReplicas?: number;
        conditions?: Condition[];
    };
}

export interface ContainerStatus {
    name: string;
    ready: boolean;
    restartCount: number;
    state?: { waiting?: { reason?: string; message?: string }; terminated?: Ended };
    lastState?: { terminated?: Ended };
}

/** How a container ended. */
export interface Ended {
    exitCode: number;
    reason?: string;
    /** Its last words. */
    message?: string;
}

export interface Pod {
    metadata: Metadata;
    spec?: { containers: { name: string; image: string }[] };
    status: {
        phase?: string;
        podIP?: string;
        conditions?: Condition[];
        initContainerStatuses?: ContainerStatus[];
        containerStatuses?: ContainerStatus[];
    };
}

export interface EndpointSlice {
    endpoints?:
        | {
              conditions?: { ready?: boolean; terminating?: boolean };
              targetRef?: { name?: string };
          }[]
        | null;
}

export interface Autoscaler {
    metadata: Metadata;
    spec: {
        minReplicas?: number;
        maxReplicas: number;
        metrics?: { resource?: { name: string; target: { averageUtilization?: number } } }[];
    };
    status?: {
        currentReplicas?: number;
        currentMetrics?: { resource?: { name: string; current: { averageUtilization?: number } } }[] | null;
    };
}

/** CPU and memory of a pod's containers, from the metrics server. */
export interface PodUsage {
    metadata: Pick<Metadata, "name">;
    containers: { usage: { cpu: string; memory: string } }[];
}

export interface Node {
    metadata: Metadata;
    status: { nodeInfo: { kubeletVersion: string } };
}

export interface DisruptionBudget {
    metadata: Metadata & { namespace: string };
    status: { disruptionsAllowed: number; expectedPods: number; currentHealthy: number };
}

/** API path of each resource. */
export const GROUPS = {
    configmaps: "/api/v1",
    nodes: "/api/v1",
    pods: "/api/v1",
    resourcequotas: "/api/v1",
    serviceaccounts: "/api/v1",
    services: "/api/v1",
    deployments: "/apis/apps/v1",
    horizontalpodautoscalers: "/apis/autoscaling/v2",
    cronjobs: "/apis/batch/v1",
    jobs: "/apis/batch/v1",
    endpointslices: "/apis/discovery.k8s.io/v1",
    ingresses: "/apis/networking.k8s.io/v1",
    networkpolicies: "/apis/networking.k8s.io/v1",
    poddisruptionbudgets: "/apis/policy/v1",
    rolebindings: "/apis/rbac.authorization.k8s.io/v1",
    roles: "/apis/rbac.authorization.k8s.io/v1",
    // The metrics server uses the same resource name.
    podmetrics: "/apis/metrics.k8s.io/v1beta1",
};

/** One object, or a subresource of it. */
export interface ResourceRef {
    resource: keyof typeof GROUPS;
    name: string;
    subresource?: "scale" | "log";
    /** Query string: "?tailLines=100". Default: none. */
    query?: string;
}

/** Target of a request: an object, objects of the namespace with labels, or a path. */
type Asked =
    | ResourceRef
    | { resource: ResourceRef["resource"]; labels: Record<string, string> }
    | { resource: string; path: string };

/** A refusal of the API server. */
export class ApiError extends GateError {
    constructor(
        message: string,
        /** HTTP status. */
        readonly status: number,
    ) {
        super(message);
    }
}

/** Options of a Kubernetes API client. */
export interface KubernetesOptions {
    server: { host: string; port: number; ca: string };
    /** Called for each request, because the kubelet renews the token hourly. */
    token: () => string;
    namespace: string;
    /** Called with a line when the API server stops or resumes responding. */
    log: (line: string) => void;
    /** How long a request is retried while the API server is unreachable or answers 429 or 5xx, in seconds. */
    patienceSeconds?: number;
    /** Interval of the retries, in seconds. */
    pauseSeconds?: number;
}

/** Timeout of one attempt, in seconds. */
const ATTEMPT_SECONDS = 10;

/** Result of one attempt: a response, or an error as text. */
type Attempt = { status: number; body: string } | { error: string; passing: boolean };

/** Directory with a pod's credentials. */
const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * The Kubernetes API, by node:https because fetch accepts no CA. Requests reject with {@link ApiError} if refused, and
 * with {@link GateError} if the server stays unreachable or the signal is aborted.
 */
export class Kubernetes {
    constructor(private readonly options: KubernetesOptions) {}

    /** As the pod's ServiceAccount. Throws {@link GateError} outside a pod. */
    static ofThisPod(options: Omit<KubernetesOptions, "server" | "token">): Kubernetes {
        const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = process.env;
        if (host === undefined) {
            throw new GateError(
                "KUBERNETES_SERVICE_HOST is not set: this gate runs in a pod of the cluster.",
            );
        }
        const file = (name: string) => {
            try {
                return readFileSync(join(ACCOUNT, name), "utf8");
            } catch (error) {
                const { code } = error as NodeJS.ErrnoException;
                throw new GateError(
                    `${join(ACCOUNT, name)} cannot be read (${code}): the pod needs its ServiceAccount's token.`,
                );
            }
        };
        return new Kubernetes({
            ...options,
            server: { host, port: Number(port), ca: file("ca.crt") },
            token: () => file("token").trim(),
        });
    }

    get<T>(place: ResourceRef, signal: AbortSignal): Promise<T> {
        return this.call<T>("get", place, signal);
    }

    /** All objects with these labels; without labels, all of the namespace. */
    async list<T>(
        resource: ResourceRef["resource"],
        labels: Record<string, string>,
        signal: AbortSignal,
    ): Promise<T[]> {
        const { items } = await this.call<{ items?: T[] | null }>("list", { resource, labels }, signal);
        return items ?? [];
    }

    /** All objects of the cluster. */
    async everywhere<T>(resource: ResourceRef["resource"], signal: AbortSignal): Promise<T[]> {
        const path = `${GROUPS[resource]}/${resource}`;
        const { items } = await this.call<{ items?: T[] | null }>("list", { resource, path }, signal);
        return items ?? [];
    }

    /** A page of the API server that is no object, such as /version. */
    page(path: string, signal: AbortSignal): Promise<string> {
        return this.ask("get", { resource: path, path }, signal);
    }

    /** The last lines of a container's log. */
    logs(pod: string, lines: number, signal: AbortSignal): Promise<string> {
        const place = {
            resource: "pods",
            name: pod,
            subresource: "log",
            query: `?tailLines=${lines}`,
        } as const;
        return this.ask("get", place, signal);
    }

    /** Applies a JSON merge patch. With `metadata.resourceVersion` in it, rejects with 409 if the object changed. */
    patch<T>(place: ResourceRef, patch: object, signal: AbortSignal): Promise<T> {
        return this.call<T>("patch", place, signal, JSON.stringify(patch));
    }

    private async call<T>(...asked: Parameters<Kubernetes["ask"]>): Promise<T> {
        return JSON.parse(await this.ask(...asked)) as T;
    }

    private async ask(
        verb: "get" | "list" | "patch",
        place: Asked,
        signal: AbortSignal,
        body?: string,
    ): Promise<string> {
        const { namespace, log, patienceSeconds = 60, pauseSeconds = 1 } = this.options;
        const path = pathOf(place, namespace);
        const where = "path" in place ? "the cluster" : namespace;
        let silentSince: number | undefined;
        for (;;) {
            const attempt = await this.send(body === undefined ? "GET" : "PATCH", path, body, signal);
            if ("status" in attempt && attempt.status < 300) {
                if (silentSince !== undefined) log("the API server answers again");
                return attempt.body;
            }
            const passing =
                "status" in attempt ? attempt.status === 429 || attempt.status >= 500 : attempt.passing;
            if (!passing) {
                throw "status" in attempt
                    ? new ApiError(refusal(verb, place, where, attempt), attempt.status)
                    : new GateError(`the API server cannot be asked: ${attempt.error}`);
            }
            const error = "status" in attempt ? said(attempt) : attempt.error;
            if (silentSince === undefined) {
                silentSince = performance.now();
                log(`the API server does not answer: ${error}; asked again for ${patienceSeconds} s`);
            }
            if (performance.now() - silentSince >= patienceSeconds * 1000) {
                throw new GateError(`the API server has not answered for ${patienceSeconds} s: ${error}`);
            }
            await pause(pauseSeconds, signal);
        }
    }

    private send(
        method: "GET" | "PATCH",
        path: string,
        body: string | undefined,
        signal: AbortSignal,
    ): Promise<Attempt> {
        const late = `no answer within ${ATTEMPT_SECONDS} s`;
        return withTimeout(ATTEMPT_SECONDS, late, signal, async (attempt) => {
            const headers = {
                accept: "application/json",
                // Name in audit logs and managed fields.
                "user-agent": "mcp-release-gate",
                authorization: `Bearer ${this.options.token()}`,
                ...(body === undefined ? {} : { "content-type": "application/merge-patch+json" }),
            };
            try {
                const response = await new Promise<IncomingMessage>((resolve, reject) => {
                    request({ ...this.options.server, method, path, headers, signal: attempt })
                        .once("response", resolve)
                        .on("error", reject)
                        .end(body);
                });
                let text = "";
                for await (const chunk of response.setEncoding("utf8")) text += chunk as string;
                return { status: response.statusCode!, body: text };
            } catch (error) {
                throwIfStopped(signal);
                if (attempt.aborted) return { error: reasonOf(attempt), passing: true };
                const { code = "" } = error as NodeJS.ErrnoException;
                return {
                    error: describeError(error),
                    passing: /^(E[A-Z]*(CONN|HOST|NET)|ENOTFOUND|EAI_|EPIPE|ETIMEDOUT)/.test(code),
                };
            }
        });
    }
}

/** Waits; rejects with {@link GateError} if the signal is aborted. */
export async function pause(seconds: number, signal: AbortSignal): Promise<void> {
    await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined);
    throwIfStopped(signal);
}

/** Whether a pod is ready and not terminating. */
export function isReady({ metadata, status }: Pod): boolean {
    const ready = status.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
    return (ready ?? false) && metadata.deletionTimestamp === undefined;
}

/** Why a pod is not ready, as text. */
export function unreadyBecause({ metadata, status }: Pod): string {
    if (metadata.deletionTimestamp !== undefined) return "is being deleted";
    const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
    for (const { name, state } of containers) {
        // Every container has PodInitializing while an init container fails or runs.
        if (state?.waiting !== undefined && state.waiting.reason !== "PodInitializing") {
            return `${name} waits: ${because(state.waiting)}`;
        }
        if (state?.terminated !== undefined && state.terminated.exitCode !== 0) {
            return `${name} ended: ${endedBy(state.terminated)}`;
        }
    }
    const scheduled = status.conditions?.find(({ type }) => type === "PodScheduled");
    if (scheduled?.status === "False") return `is ${status.phase}: ${because(scheduled)}`;
    const unready = containers.find(({ ready, state }) => !ready && state?.terminated === undefined);
    return unready === undefined ? `is ${status.phase ?? "new"}` : `${unready.name} is not ready`;
}

/** How a container ended, as text. */
export function endedBy({ reason, exitCode }: Ended): string {
    return `${reason ?? "exited"} (exit code ${exitCode})`;
}

/** The reason and message of a condition or a state. */
export function because({ reason, message }: { reason?: string; message?: string }): string {
    return [
        reason ?? "no reason given",
        ...(message ? [`(${message.trim().replace(/\s+/g, " ")})`] : []),
    ].join(" ");
}

function pathOf(place: Asked, namespace: string): string {
    if ("path" in place) return place.path;
    const plural = place.resource === "podmetrics" ? "pods" : place.resource;
    const root = `${GROUPS[place.resource]}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
    return root + ("labels" in place ? query(place.labels) : below(place));
}

function query(labels: Record<string, string>): string {
    const pairs = Object.entries(labels).map((pair) => pair.join("="));
    if (pairs.length === 0) return "";
    return `?labelSelector=${encodeURIComponent(pairs.join(","))}`;
}

function below({ name, subresource, query = "" }: ResourceRef): string {
    return `/${encodeURIComponent(name)}${subresource === undefined ? "" : `/${subresource}`}${query}`;
}

function refusal(
    verb: string,
    place: { resource: string; name?: string; subresource?: string },
    where: string,
    attempt: { status: number; body: string },
): string {
    const resource = [place.resource, place.subresource].filter(Boolean).join("/");
    const what = `${resource}${place.name === undefined ? "" : ` ${place.name}`}`;
    switch (attempt.status) {
        case 401:
            return `the API server does not accept the ServiceAccount's token (${said(attempt)})`;
        case 403:
            return `the ServiceAccount lacks the right to ${verb} ${what} in ${where} (${said(attempt)})`;
        case 404:
            return `there is no ${what.replace(/s\b/, "")} in ${where}`;
        default:
            return `the API server refuses to ${verb} ${what} in ${where}: ${said(attempt)}`;
    }
}

/** Status and message of a response; the API server sends a Status object, a proxy any text. */
function said({ status, body }: { status: number; body: string }): string {
    let message: unknown;
    try {
        ({ message } = JSON.parse(body) as { message?: unknown });
    } catch {
        message = undefined;
    }
    return typeof message === "string" ? `${status}: ${message}` : String(status);
}
