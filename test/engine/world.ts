import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createSecureContext, createServer as createTlsServer } from "node:tls";
import { type Api, type List, type Resource } from "../cluster/api";
import { type Issued } from "../certificates";

/** Where something listens. */
export interface Address {
    host: string;
    port: number;
}

type IngressObject = Resource<{ tls: { hosts: string[]; secretName: string }[] }>;
type SecretObject = Resource & { data: Record<string, string> };

/** What the gates meet in the cluster: workloads that answer, Prometheus, an ingress controller, and SNS. */
export class World {
    /** Services whose pods answer every request with 503. */
    readonly failing = new Set<string>();
    /** Failed requests of a thousand, as Prometheus counts them. */
    errors = 0;
    /** Subjects of the notices, oldest first. */
    readonly notices: string[] = [];
    /** Their texts. */
    readonly texts: string[] = [];
    /** Namespaces whose pods may not publish to SNS. */
    readonly muted = new Set<string>();
    /** Called with each request that a workload gets. */
    onRequest: (service: string, path: string) => void = () => {};

    private constructor(private readonly servers: Server[]) {}

    static async open(api: Api, fallback: Issued): Promise<World> {
        const http = createHttpServer((request, response) => {
            const { pathname, searchParams } = new URL(request.url!, "http://cluster");
            if (pathname === "/api/v1/query") {
                const value = searchParams.get("query") === "errors" ? world.errors : 1000;
                response.end(JSON.stringify({ data: { resultType: "scalar", result: [0, String(value)] } }));
                return;
            }
            if (pathname === "/credentials") {
                const credentials = { AccessKeyId: "x", SecretAccessKey: "x", Token: "x" };
                response.end(JSON.stringify(credentials));
                return;
            }
            if (pathname.startsWith("/sns/")) {
                const refused = world.muted.has(pathname.slice("/sns/".length));
                let body = "";
                request.setEncoding("utf8").on("data", (part: string) => (body += part));
                request.on("end", () => {
                    const message = new URLSearchParams(body);
                    if (!refused) {
                        world.notices.push(message.get("Subject")!);
                        world.texts.push(message.get("Message")!);
                    }
                    response.writeHead(refused ? 403 : 200).end();
                });
                return;
            }
            const service = request.headers.host!.split(":")[0]!;
            world.onRequest(service, pathname);
            response.statusCode = world.failing.has(service) ? 503 : 200;
            response.setHeader("content-type", "text/html").end("requests_total 1\n");
        });
        // Serves the certificate that the Ingress of a host names, read again for each handshake.
        const [cert, key] = [fallback.files.certificate, fallback.files.privateKey].map((file) =>
            readFileSync(file),
        );
        const tls = createTlsServer({
            cert,
            key,
            SNICallback: (host, done) => {
                servedAt(api, host).then(
                    (context) => done(null, context),
                    (error: Error) => done(error),
                );
            },
        });
        // A client that does not like the certificate hangs up, which is its right.
        tls.on("tlsClientError", () => {});
        const world = new World([http, tls]);
        await Promise.all([listening(http), listening(tls)]);
        return world;
    }

    /** Where the programs of Jobs find which host. */
    hosts(ingressHosts: readonly string[]): Record<string, Address> {
        const [http, tls] = this.servers.map(addressOf) as [Address, Address];
        const services = ["mcp-server", "tools"].flatMap((name) => [name, `${name}-blue`, `${name}-green`]);
        return {
            ...Object.fromEntries(
                [...services, "admin-portal", "chat-ui", "prometheus.monitoring"].map((name) => [name, http]),
            ),
            ...Object.fromEntries(ingressHosts.map((host) => [host, tls])),
        };
    }

    /** What EKS and a test tell the programs of a namespace's Jobs about AWS: where credentials are, and SNS. */
    env(namespace: string): Record<string, string> {
        const { host, port } = addressOf(this.servers[0]!);
        return {
            AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${host}:${port}/credentials`,
            AWS_ENDPOINT_URL_SNS: `http://${host}:${port}/sns/${namespace}`,
        };
    }

    /** Everybody answers, and no request fails. */
    heal(): void {
        this.failing.clear();
        this.errors = 0;
        this.muted.clear();
        this.onRequest = () => {};
    }

    close(): void {
        for (const server of this.servers) server.close();
    }
}

async function servedAt(api: Api, host: string) {
    const { items } = await api.get<List<IngressObject>>("/apis/networking.k8s.io/v1/ingresses");
    for (const { metadata, spec } of items) {
        const entry = spec.tls.find(({ hosts }) => hosts.includes(host));
        if (entry !== undefined) {
            const path = `/api/v1/namespaces/${metadata.namespace!}/secrets/${entry.secretName}`;
            const { data } = await api.get<SecretObject>(path);
            const decoded = (name: string) => Buffer.from(data[name]!, "base64");
            return createSecureContext({ cert: decoded("tls.crt"), key: decoded("tls.key") });
        }
    }
    throw new Error(`no Ingress serves ${host}`);
}

/** The way from the engine to the API server, which can be cut. */
export class Line {
    private readonly sockets = new Set<Socket>();
    private readonly server: Server;
    private isCut = false;

    private constructor(target: URL) {
        this.server = createServer((near) => {
            const far = connect(Number(target.port), target.hostname);
            for (const [one, other] of [
                [near, far],
                [far, near],
            ] as const) {
                this.sockets.add(one);
                one.on("error", () => other.destroy());
                one.on("close", () => {
                    this.sockets.delete(one);
                    other.destroy();
                });
            }
            if (this.isCut) near.destroy();
            else near.pipe(far).pipe(near);
        });
    }

    static async open(target: URL): Promise<Line> {
        const line = new Line(target);
        await listening(line.server);
        return line;
    }

    get endpoint(): string {
        const { host, port } = addressOf(this.server);
        return `https://${host}:${port}`;
    }

    cut(): void {
        this.isCut = true;
        for (const socket of this.sockets) socket.destroy();
    }

    mend(): void {
        this.isCut = false;
    }

    close(): void {
        this.cut();
        this.server.close();
    }
}

export function listening(server: Server): Promise<void> {
    return new Promise((done) => server.listen(0, "127.0.0.1", done));
}

export function addressOf(server: Server): Address {
    return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}
