import { type X509Certificate } from "node:crypto";
import { once } from "node:events";
import { addAbortSignal } from "node:stream";
import { connect } from "node:tls";
import * as z from "zod/mini";
import { describeError, reasonOf } from "./http";
import { pattern } from "./schema";

/** Fields of a TLS server. */
export const tlsTarget = {
    /** Server name (SNI). */
    host: pattern(/^[a-z0-9][a-z0-9.-]*$/, "a host name in lower case"),
    /** `host:port` to connect to. Default: the host, on port 443. */
    address: z.optional(pattern(/^(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, "host:port")),
};

/** A TLS server. */
export interface TlsTarget {
    host: string;
    address?: string | undefined;
}

/** Result of a handshake: the server's certificate, or an error as text. */
export type TlsResult =
    | {
          leaf: X509Certificate;
          /** Why the certificate is not trusted for this host, as text; undefined if it is. */
          distrust: string | undefined;
          error?: never;
      }
    | { leaf?: never; distrust?: never; error: string };

/** Performs a TLS handshake without requiring trust, and reads the certificate. Never rejects. */
export async function servedLeaf(
    { host, address = `${host}:443` }: TlsTarget,
    signal: AbortSignal,
): Promise<TlsResult> {
    const [, server, port] = /^(.+):(\d+)$/.exec(address)!;
    const socket = connect({
        host: server!.replace(/^\[|\]$/g, ""),
        port: Number(port),
        servername: host,
        // The caller evaluates trust: untrusted certificates are reported too.
        rejectUnauthorized: false,
    });
    // Handles errors after the result.
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
