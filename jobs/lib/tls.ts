import { type X509Certificate } from "node:crypto";
import { once } from "node:events";
import { addAbortSignal } from "node:stream";
import { connect } from "node:tls";
import * as z from "zod/mini";
import { describeError, reasonOf } from "./http";
import { pattern } from "./schema";

/** Fields of a server that TLS is opened to. */
export const tlsTarget = {
    /** Name the server is asked for (SNI). */
    host: pattern(/^[a-z0-9][a-z0-9.-]*$/, "a host name in lower case"),
    /** `host:port` to connect to. Default: the host itself, on port 443. */
    address: z.optional(pattern(/^(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, "host:port")),
};

/** A server that TLS is opened to. */
export interface TlsTarget {
    host: string;
    address?: string | undefined;
}

/** What one handshake shows: the server's certificate, or in words why there is none. */
export type TlsResult =
    | {
          leaf: X509Certificate;
          /** In words, why it would not be trusted for this host; undefined when it would. */
          distrust: string | undefined;
          error?: never;
      }
    | { leaf?: never; distrust?: never; error: string };

/** Opens TLS, whoever vouches for the server, and looks at the certificate it shows. Never rejects. */
export async function servedLeaf(
    { host, address = `${host}:443` }: TlsTarget,
    signal: AbortSignal,
): Promise<TlsResult> {
    const [, server, port] = /^(.+):(\d+)$/.exec(address)!;
    const socket = connect({
        host: server!.replace(/^\[|\]$/g, ""),
        port: Number(port),
        servername: host,
        // Trust is for the caller to judge: also of a certificate that nobody trusts, there is something to say.
        rejectUnauthorized: false,
    });
    // For errors that come when nobody waits for them any more.
    socket.on("error", () => undefined);
    try {
        await once(addAbortSignal(signal, socket), "secureConnect");
        const leaf = socket.getPeerX509Certificate();
        if (leaf === undefined) return { error: "no certificate served" };
        const { authorized, authorizationError } = socket;
        return { leaf, distrust: authorized ? undefined : String(authorizationError) };
    } catch (error) {
        const cause = signal.aborted ? reasonOf(signal) : describeError(error);
        return { error: `no TLS at ${address}: ${cause}` };
    } finally {
        socket.destroy();
    }
}
