import { once } from "node:events";
import { isIP } from "node:net";
import { addAbortSignal } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { GateError } from "./gate";
import { describeError, reasonOf } from "./http";

/** Address and credentials of a Redis server. */
export interface RedisTarget {
    host: string;
    port: number;
    password: string;
}

/** A reply to one command. Texts are bytes, one a character (Latin-1): keys need not be UTF-8. */
export type Reply = string | number | null | RedisError | Reply[];

/** A refusal of the server. */
export class RedisError extends GateError {}

/** An authenticated connection to Redis over TLS. */
export class Redis {
    private received: Buffer = Buffer.alloc(0);
    private readonly waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
    /** Why there are no further replies. */
    private broken: GateError | undefined;

    private constructor(
        private readonly socket: TLSSocket,
        signal: AbortSignal,
    ) {
        let cause: unknown = new GateError("connection dropped");
        socket.once("error", (error) => (cause = error));
        socket.once("close", () => {
            this.broken = asFailure(cause, signal);
            for (const { reject } of this.waiting.splice(0)) reject(this.broken);
        });
        socket.on("data", (chunk: Buffer) => this.take(chunk));
    }

    /** Connects and authenticates. Rejects with {@link GateError}. */
    static async connect({ host, port, password }: RedisTarget, signal: AbortSignal): Promise<Redis> {
        const socket = connect({ host, port, ...(isIP(host) ? {} : { servername: host }) });
        // Stays registered: a later error would otherwise end the process.
        socket.on("error", () => undefined);
        try {
            await once(addAbortSignal(signal, socket), "secureConnect");
            const redis = new Redis(socket, signal);
            await redis.command("AUTH", password);
            return redis;
        } catch (error) {
            socket.destroy();
            throw asFailure(error, signal);
        }
    }

    /** Sends one command and returns its reply. Rejects with {@link RedisError} if refused. */
    async command(...words: string[]): Promise<Reply> {
        const [reply] = await this.pipeline([words]);
        if (reply instanceof RedisError) throw reply;
        return reply!;
    }

    /** Sends several commands and returns a reply for each, including refusals. */
    async pipeline(commands: readonly (readonly string[])[]): Promise<Reply[]> {
        if (this.broken !== undefined) throw this.broken;
        const replies = commands.map(
            () => new Promise<Reply>((resolve, reject) => this.waiting.push({ resolve, reject })),
        );
        this.socket.write(commands.map(encoded).join(""), "latin1");
        return Promise.all(replies);
    }

    close(): void {
        this.socket.destroy();
    }

    private take(chunk: Buffer): void {
        this.received = Buffer.concat([this.received, chunk]);
        let at = 0;
        try {
            for (
                let parsed = parse(this.received, 0);
                parsed !== undefined;
                parsed = parse(this.received, at)
            ) {
                at = parsed.end;
                this.waiting.shift()?.resolve(parsed.reply);
            }
        } catch (error) {
            this.socket.destroy(error as Error);
        }
        this.received = this.received.subarray(at);
    }
}

/** Why a connection ended, as text. */
function asFailure(error: unknown, signal: AbortSignal): GateError {
    if (signal.aborted) return new GateError(reasonOf(signal));
    return error instanceof GateError ? error : new GateError(describeError(error));
}

/** A command in Redis's format: a list of texts with their lengths. */
function encoded(words: readonly string[]): string {
    return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

/** The reply that starts at an offset, and its end; undefined until it is complete. */
function parse(bytes: Buffer, start: number): { reply: Reply; end: number } | undefined {
    const lineEnd = bytes.indexOf("\r\n", start, "latin1");
    if (lineEnd < 0) return undefined;
    const [type, line] = [
        bytes.toString("latin1", start, start + 1),
        bytes.toString("latin1", start + 1, lineEnd),
    ];
    const next = lineEnd + 2;
    const length = Number(line);
    switch (type) {
        case "+":
            return { reply: line, end: next };
        case "-":
            return { reply: new RedisError(line), end: next };
        case ":":
            return { reply: length, end: next };
        case "$":
            if (length < 0) return { reply: null, end: next };
            if (bytes.length < next + length + 2) return undefined;
            return { reply: bytes.toString("latin1", next, next + length), end: next + length + 2 };
        case "*": {
            const items: Reply[] = [];
            let end = next;
            while (items.length < length) {
                const item = parse(bytes, end);
                if (item === undefined) return undefined;
                items.push(item.reply);
                end = item.end;
            }
            return { reply: items, end };
        }
        default:
            throw new GateError("an answer that is not Redis");
    }
}
