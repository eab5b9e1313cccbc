import { connect, createServer, type Server, type Socket } from "node:net";
import { type Api, type Resource } from "./api";
import { processOf } from "./pod-runner";

type EndpointSlice = Resource & {
    endpoints?: { addresses: string[]; conditions: { ready?: boolean; serving?: boolean } }[] | null;
    ports?: { port: number }[] | null;
};

/** Addresses at one moment: those that are ready, and those that only still serve because their pods are ending. */
export interface Endpoints {
    ready: string[];
    serving: string[];
    port: number | undefined;
}

/** Tells the endpoints of a Service at every change of its EndpointSlices. Returns what ends it. */
export function watchEndpoints(
    api: Api,
    namespace: string,
    service: string,
    tell: (endpoints: Endpoints) => void,
): () => void {
    const slices = new Map<string, EndpointSlice>();
    const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    const label = `kubernetes.io/service-name%3D${service}`;
    return api.watch<EndpointSlice>(`${path}?labelSelector=${label}`, (type, slice) => {
        if (type === "DELETED") slices.delete(slice.metadata.name);
        else slices.set(slice.metadata.name, slice);
        const all = [...slices.values()].flatMap(({ endpoints }) => endpoints ?? []);
        const addresses = (condition: "ready" | "serving") =>
            all.filter(({ conditions }) => conditions[condition]).flatMap(({ addresses: some }) => some);
        const port = [...slices.values()].flatMap(({ ports }) => ports ?? [])[0]?.port;
        tell({ ready: addresses("ready"), serving: addresses("serving"), port });
    });
}

/** How long kube-proxy may take until its rules follow a change, in milliseconds: its shortest period between two syncs. */
const SYNC_MILLISECONDS = 1000;

/** A Service as clients in the cluster meet it. */
export interface ServiceProxy {
    host: string;
    port: number;
    close(): void;
}

/**
 * Plays kube-proxy for one Service: a new connection goes to one of the ready endpoints in turn or, where there is none, to
 * one that still serves. A connection stays where it is as long as it lasts. Changes take effect after a second.
 */
export async function startServiceProxy(api: Api, namespace: string, service: string): Promise<ServiceProxy> {
    const sockets = new Set<Socket>();
    let targets: string[] = [];
    let targetPort = 0;
    let turn = 0;
    const end = watchEndpoints(api, namespace, service, ({ ready, serving, port }) => {
        setTimeout(() => {
            targets = ready.length > 0 ? ready : serving;
            targetPort = port ?? targetPort;
        }, SYNC_MILLISECONDS).unref();
    });
    const server = createServer({ noDelay: true }, (near) => {
        const target = targets[(turn += 1) % targets.length];
        if (target === undefined) {
            near.destroy();
            return;
        }
        const far = connect({ host: processOf(target), port: targetPort, noDelay: true });
        for (const [one, other] of [
            [near, far],
            [far, near],
        ] as const) {
            sockets.add(one);
            one.on("error", () => other.destroy());
            one.on("close", () => {
                sockets.delete(one);
                other.end();
            });
        }
        near.pipe(far).pipe(near);
    });
    const { host, port } = await listeningOn(server);
    return {
        host,
        port,
        close() {
            end();
            server.close();
            for (const socket of sockets) socket.destroy();
        },
    };
}

function listeningOn(server: Server): Promise<{ host: string; port: number }> {
    return new Promise((done) =>
        server.listen(0, "127.0.0.1", () => {
            const address = server.address() as { address: string; port: number };
            done({ host: address.address, port: address.port });
        }),
    );
}
