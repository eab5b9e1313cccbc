import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { type Manifest } from "../../offline/manifests";
import { slowdown } from "../load";

export interface Metadata {
    name: string;
    namespace?: string;
    uid: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
    ownerReferences?: { kind: string; name: string }[];
}

export interface Resource<Spec = Record<string, unknown>, Status = Record<string, unknown>> {
    metadata: Metadata;
    spec: Spec;
    status: Status;
}

export interface List<Item> {
    items: Item[];
}

/** What the API server refused, with the HTTP status and the reason it gave. */
export class ApiError extends Error {
    constructor(
        call: string,
        readonly status: number,
        answer: string,
    ) {
        super(`${call} answered ${status}: ${answer}`);
    }
}

interface Kubeconfig {
    "current-context": string;
    clusters: { name: string; cluster: { server: string; "certificate-authority-data"?: string } }[];
    contexts: { name: string; context: { cluster: string; user: string } }[];
    users: {
        name: string;
        user: { token?: string; "client-certificate-data"?: string; "client-key-data"?: string };
    }[];
}

/** The Kubernetes API over Node's own https (its fetch cannot be given a CA). */
export class Api {
    private constructor(
        readonly server: URL,
        readonly ca: Buffer | undefined,
        private readonly agent: Agent,
        private readonly token: string | undefined,
    ) {}

    /** By a kubeconfig file. The one of our control plane is JSON; any other is read through kubectl. */
    static from(path: string): Api {
        const text = readFileSync(path, "utf8");
        const view = [
            "config",
            "view",
            "--kubeconfig",
            path,
            "--raw",
            "--minify",
            "--flatten",
            "--output",
            "json",
        ];
        const config = JSON.parse(
            text.startsWith("{") ? text : execFileSync("kubectl", view, { encoding: "utf8" }),
        ) as Kubeconfig;
        const context = config.contexts.find(({ name }) => name === config["current-context"])?.context;
        const cluster = config.clusters.find(({ name }) => name === context?.cluster)?.cluster;
        const user = config.users.find(({ name }) => name === context?.user)?.user;
        if (!cluster || !(user?.token || user?.["client-key-data"])) {
            throw new Error(
                `${path}: its current context has no server with a token or a client certificate.`,
            );
        }
        const decoded = (data?: string) => (data === undefined ? undefined : Buffer.from(data, "base64"));
        const ca = decoded(cluster["certificate-authority-data"]);
        const agent = new Agent({
            keepAlive: true,
            ca,
            cert: decoded(user["client-certificate-data"]),
            key: decoded(user["client-key-data"]),
        });
        return new Api(new URL(cluster.server), ca, agent, user.token);
    }

    get<T>(path: string): Promise<T> {
        return this.call<T>("GET", path);
    }

    post<T>(path: string, body: object): Promise<T> {
        return this.call<T>("POST", path, body);
    }

    patch<T>(path: string, body: object): Promise<T> {
        return this.call<T>("PATCH", path, body, "application/strategic-merge-patch+json");
    }

    /** A patch of single operations, as `kubectl patch --type json` sends it. */
    jsonPatch<T>(path: string, operations: object): Promise<T> {
        return this.call<T>("PATCH", path, operations, "application/json-patch+json");
    }

    /** Server-side apply; a field the API does not know is an error. A dry run admits, and keeps nothing. */
    apply<T>(path: string, body: object, { dryRun = false } = {}): Promise<T> {
        const query = `fieldManager=test&force=true&fieldValidation=Strict${dryRun ? "&dryRun=All" : ""}`;
        return this.call<T>("PATCH", `${path}?${query}`, body, "application/apply-patch+yaml");
    }

    /** The same server with somebody else's token. */
    withToken(token: string): Api {
        return new Api(this.server, this.ca, new Agent({ ca: this.ca }), token);
    }

    delete<T>(path: string): Promise<T> {
        return this.call<T>("DELETE", path);
    }

    /**
     * Sends every state of the objects of a list, in order, starting with the current ones. Returns a function that
     * ends it. Reopens a broken connection; then existing objects are sent as ADDED again.
     */
    watch<T>(list: string, tell: (type: "ADDED" | "MODIFIED" | "DELETED", object: T) => void): () => void {
        let ended = false;
        let call: ReturnType<typeof request> | undefined;
        const open = () => {
            const path = `${this.server.pathname.replace(/\/$/, "")}${list}${list.includes("?") ? "&" : "?"}watch=1`;
            const headers = { Accept: "application/json", ...this.authorization };
            call = request(new URL(path, this.server), { headers, agent: this.agent }, (response) => {
                let rest = "";
                response.setEncoding("utf8").on("data", (part: string) => {
                    const lines = (rest + part).split("\n");
                    rest = lines.pop()!;
                    for (const line of lines) {
                        const { type, object } = JSON.parse(line) as { type: "ADDED"; object: T };
                        if (["ADDED", "MODIFIED", "DELETED"].includes(type)) tell(type, object);
                    }
                });
                response.once("close", again);
            });
            call.once("error", again);
            call.end();
        };
        const again = () => {
            call?.destroy();
            if (!ended) setTimeout(open, 100).unref();
        };
        open();
        return () => {
            ended = true;
            call?.destroy();
        };
    }

    private get authorization() {
        return this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` };
    }

    private call<T>(method: string, path: string, body?: object, type = "application/json"): Promise<T> {
        const headers = {
            Accept: "application/json",
            ...this.authorization,
            ...(body && { "Content-Type": type }),
        };
        return new Promise<T>((resolve, reject) => {
            const base = this.server.href.replace(/\/$/, "");
            const call = request(base + path, { method, headers, agent: this.agent }, (response) => {
                const parts: Buffer[] = [];
                response.on("data", (part: Buffer) => parts.push(part));
                response.once("error", reject);
                response.once("end", () => {
                    const text = Buffer.concat(parts).toString();
                    const json = response.headers["content-type"]?.includes("json") ?? false;
                    if (response.statusCode! >= 300) {
                        const { message } = (json ? JSON.parse(text) : {}) as { message?: string };
                        reject(new ApiError(`${method} ${path}`, response.statusCode!, message ?? text));
                    } else {
                        resolve((json ? JSON.parse(text) : text) as T);
                    }
                });
            });
            call.once("error", (error: NodeJS.ErrnoException) => {
                // The server has closed a connection that was kept while this request was on its way to it.
                const wasClosed = call.reusedSocket && error.code === "ECONNRESET";
                if (wasClosed) resolve(this.call(method, path, body, type));
                else reject(error);
            });
            call.end(body && JSON.stringify(body));
        });
    }
}

/** Kinds of the stacks, as they are in paths. */
const KINDS: Record<string, string> = {
    ConfigMap: "configmaps",
    CronJob: "cronjobs",
    DaemonSet: "daemonsets",
    Deployment: "deployments",
    HorizontalPodAutoscaler: "horizontalpodautoscalers",
    Ingress: "ingresses",
    Job: "jobs",
    Namespace: "namespaces",
    NetworkPolicy: "networkpolicies",
    PodDisruptionBudget: "poddisruptionbudgets",
    PriorityClass: "priorityclasses",
    ResourceQuota: "resourcequotas",
    Role: "roles",
    RoleBinding: "rolebindings",
    Secret: "secrets",
    Service: "services",
    ServiceAccount: "serviceaccounts",
};

/** Where the API has an object of a stack. */
export function pathOf({ apiVersion, kind, metadata: { name, namespace } }: Manifest): string {
    const base = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
    const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
    return `${base}${scope}/${KINDS[kind]!}/${name}`;
}

/**
 * Repeats until the check returns a truthy value; at the timeout, throws its last error. The seconds are those of an
 * idle machine, and stretch under load.
 */
export async function eventually<T>(
    what: string,
    check: () => T | Promise<T>,
    seconds = 30,
): Promise<NonNullable<T>> {
    let trouble = "";
    for (let left = seconds * 1000; left > 0;) {
        const began = Date.now();
        try {
            const found = await check();
            if (found) return found;
            trouble = "";
        } catch (error) {
            trouble = `: ${(error as Error).message}`;
        }
        await sleep(100);
        left -= (Date.now() - began) / slowdown();
    }
    throw new Error(`Not within ${seconds} s: ${what}${trouble}`);
}
