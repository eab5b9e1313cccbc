import { once } from "node:events";
import { type AddressInfo, type Server, type Socket } from "node:net";

/** A server that listens. */
export interface Listening {
    port: number;
    /** Ends it, and every connection to it. */
    close: () => void;
}

/** Has a server listen at a free port of an address. */
export async function listen(server: Server, address = "127.0.0.1"): Promise<Listening> {
    const sockets = new Set<Socket>();
    server.on("connection", (socket: Socket) => {
        sockets.add(socket);
        socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    });
    server.listen(0, address);
    await once(server, "listening");
    return {
        port: (server.address() as AddressInfo).port,
        close: () => {
            server.close();
            for (const socket of sockets) socket.destroy();
        },
    };
}
