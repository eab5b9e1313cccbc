import { once } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { addAbortSignal } from "node:stream";
import { connect as connectTls } from "node:tls";
import { GateError } from "./gate";
import { describeError, reasonOf } from "./http";

/** Where a PostgreSQL server is, and as whom it is asked. */
export interface PostgresTarget {
    host: string;
    port: number;
    user: string;
    database: string;
}

/** Codes in the place of a protocol version: one that asks for TLS, and version 3.0 itself. */
const SSL_REQUEST = 80_877_103;
const PROTOCOL = 196_608;

/** "The database system is starting up", or shutting down, or recovering. */
const CANNOT_CONNECT_NOW = "57P03";

/** Most of an error that is read, in bytes. */
const ERROR_LIMIT = 16 * 1024;

/**
 * Whether a server accepts connections, as pg_isready tells it: any answer to a startup packet will do, except that it
 * cannot take connections now. No password is sent, and the server logs nothing. Over TLS, whoever vouches for the
 * server, as with `sslmode=require`. Returns what the server said; rejects with {@link GateError} when it does not accept.
 */
export async function accepting(target: PostgresTarget, signal: AbortSignal): Promise<string> {
    const { host, port, user, database } = target;
    const plain = addAbortSignal(signal, connect({ host, port }));
    let socket: Socket = plain;
    try {
        plain.write(numbers(8, SSL_REQUEST));
        const offer = (await reader(plain)(1)).toString("latin1");
        if (offer !== "S")
            throw new GateError(offer === "N" ? "refuses TLS" : "an answer that is not PostgreSQL");
        const secure = connectTls({
            socket: plain,
            rejectUnauthorized: false,
            ...(isIP(host) ? {} : { servername: host }),
        });
        socket = secure;
        const parameters = Object.entries({ user, database, application_name: "mcp-health" }).flat();
        const body = Buffer.from([...parameters, "", ""].join("\0"));
        secure.write(Buffer.concat([numbers(8 + body.length, PROTOCOL), body]));
        const take = reader(secure);
        const head = await take(5);
        const [type, length] = [head.toString("latin1", 0, 1), head.readUInt32BE(1) - 4];
        if (type === "R") return "accepting";
        if (type !== "E" || length > ERROR_LIMIT) throw new GateError("an answer that is not PostgreSQL");
        const { C: code = "", M: message = "" } = fieldsOf(await take(length));
        if (code === CANNOT_CONNECT_NOW) throw new GateError(`rejecting: ${message} (${code})`);
        return `accepting, though: ${message} (${code})`;
    } catch (error) {
        if (error instanceof GateError) throw error;
        throw new GateError(signal.aborted ? reasonOf(signal) : describeError(error));
    } finally {
        socket.destroy();
        plain.destroy();
    }
}

function numbers(...values: number[]): Buffer {
    const bytes = Buffer.alloc(4 * values.length);
    values.forEach((value, index) => bytes.writeUInt32BE(value, 4 * index));
    return bytes;
}

/** Fields of an error: a letter and a text each. */
function fieldsOf(body: Buffer): Record<string, string> {
    const fields = body.toString("utf8").split("\0").filter(Boolean);
    return Object.fromEntries(fields.map((field) => [field[0]!, field.slice(1)]));
}

/** Takes what comes in portions of a known size. */
function reader(socket: Socket): (count: number) => Promise<Buffer> {
    let rest: Buffer = Buffer.alloc(0);
    return async (count) => {
        while (rest.length < count) {
            const chunk = socket.read() as Buffer | null;
            if (chunk !== null) {
                rest = Buffer.concat([rest, chunk]);
            } else if (socket.readableEnded || socket.destroyed) {
                throw new GateError("connection dropped");
            } else {
                await Promise.race([once(socket, "readable"), once(socket, "close")]);
            }
        }
        const bytes = rest.subarray(0, count);
        rest = rest.subarray(count);
        return bytes;
    };
}
