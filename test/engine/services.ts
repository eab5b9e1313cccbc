import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { createSecureContext, createServer as createTlsServer } from "node:tls";
import { type Api } from "../cluster/api";

/** Plays what no container runs for: the services behind their names, and the ingress controller. */
export interface Services {
    /** Where programs in the cluster find each host, by name and port. */
    hosts: Record<string, { host: string; port: number }>;
    /** Hosts that answer 500, as the gates call them, such as mcp-server-green:8000. */
    failing: Set<string>;
    /** Lets the controller read Ingress and Secrets. */
    attach(api: Api): void;
    close(): void;
}

/** Starts the services of production and staging, all of them well. */
export async function startServices(): Promise<Services> {
    const failing = new Set<string>();
    const http = createServer((request, response) => {
        response.statusCode = failing.has(request.headers.host ?? "") ? 500 : 200;
        response.setHeader("content-type", "text/html").end("requests_total 1\n");
    });
    let api: Api | undefined;
    // As a controller does, it serves the certificate of the Secret that the Ingress names.
    const tls = createTlsServer({
        SNICallback: (host, done) => {
            certificateOf(api, host).then(
                ({ cert, key }) => done(null, createSecureContext({ cert, key })),
                (error: Error) => done(error),
            );
        },
    });
    tls.on("tlsClientError", () => undefined);
    const [web, secure] = await Promise.all(
        [http, tls].map(async (server) => {
            await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
            return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
        }),
    );
    const colours = ["", "-blue", "-green"];
    const inside = [
        ...colours.map((colour) => `mcp-server${colour}:8000`),
        ...colours.map((colour) => `tools${colour}:8080`),
        "admin-portal:3001",
        "chat-ui:3000",
    ];
    const outside = ["mcp.msil.com:443", "admin.mcp.msil.com:443"];
    return {
        hosts: Object.fromEntries([
            ...inside.map((name) => [name, web!]),
            ...outside.map((name) => [name, secure!]),
        ]),
        failing,
        attach: (to) => (api = to),
        close() {
            http.closeAllConnections();
            http.close();
            tls.close();
        },
    };
}

async function certificateOf(api: Api | undefined, host: string): Promise<{ cert: Buffer; key: Buffer }> {
    const namespace = "mcp-production";
    const { spec } = await api!.get<{ spec: { tls: { hosts: string[]; secretName: string }[] } }>(
        `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/mcp-ingress`,
    );
    const name = spec.tls.find(({ hosts }) => hosts.includes(host))?.secretName;
    const { data } = await api!.get<{ data: Record<string, string> }>(
        `/api/v1/namespaces/${namespace}/secrets/${name}`,
    );
    const [cert, key] = ["tls.crt", "tls.key"].map((part) => Buffer.from(data[part]!, "base64"));
    return { cert: cert!, key: key! };
}
