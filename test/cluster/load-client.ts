import { Agent, request } from "node:http";
import { type ServiceProxy } from "./service-proxy";

/** What a client saw. */
export interface LoadResult {
    sent: number;
    failed: number;
    /** Longest time between two requests that were answered, in milliseconds. */
    longestGap: number;
    /** Requests that were answered, by the beginning of the pod's name in the answer. */
    answered: Record<string, number>;
    /** What failed, with how often. */
    failures: Record<string, number>;
}

/** A client that sends requests until it is stopped. */
export interface Load {
    stop(): Promise<LoadResult>;
}

/** Time after which a request counts as failed, in milliseconds: also on a machine with much else to do. */
const TIMEOUT_MILLISECONDS = 60_000;

/** Most requests on their way at once. A machine that is too slow for the rate sends fewer, and none of them fails. */
const IN_FLIGHT = 50;

/** Most requests, and most seconds, that a client goes on for. */
const LIMIT = { requests: 200_000, seconds: 900 };

/**
 * Sends requests to a Service at a fixed rate. Every second one opens a new connection; the others share kept
 * connections, as an ingress controller does. No request is retried.
 */
export function startLoad({ host, port }: ServiceProxy, perSecond: number): Load {
    const kept = new Agent({ keepAlive: true, maxSockets: 20, scheduling: "fifo" });
    const began = performance.now();
    const result: LoadResult = { sent: 0, failed: 0, longestGap: 0, answered: {}, failures: {} };
    const pending = new Set<Promise<void>>();
    let last = began;
    let due = 0;

    const send = () => {
        const agent = result.sent % 2 === 0 ? kept : new Agent();
        result.sent += 1;
        const answered = new Promise<string>((done, fail) => {
            const call = request({ host, port, agent, timeout: TIMEOUT_MILLISECONDS }, (response) => {
                let body = "";
                response.setEncoding("utf8").on("data", (part: string) => (body += part));
                response.once("error", fail);
                response.once("end", () =>
                    response.statusCode === 200 ? done(body) : fail(new Error(`${response.statusCode}`)),
                );
            });
            call.once("timeout", () => call.destroy(new Error("timeout")));
            call.once("error", fail);
            call.end();
        });
        const settled = answered.then(
            (pod) => {
                const now = performance.now();
                result.longestGap = Math.max(result.longestGap, now - last);
                last = now;
                const workload = pod.split("-").slice(0, -2).join("-");
                result.answered[workload] = (result.answered[workload] ?? 0) + 1;
            },
            (error: NodeJS.ErrnoException) => {
                const reason = `${agent === kept ? "kept" : "new"} connection: ${error.code ?? error.message}`;
                result.failed += 1;
                result.failures[reason] = (result.failures[reason] ?? 0) + 1;
            },
        );
        pending.add(settled);
        void settled.then(() => pending.delete(settled));
    };
    const timer = setInterval(() => {
        const seconds = (performance.now() - began) / 1000;
        const now = Math.floor(Math.min(seconds, LIMIT.seconds) * perSecond);
        const room = Math.min(IN_FLIGHT - pending.size, LIMIT.requests - result.sent);
        for (let count = Math.min(now - due, room); count > 0; count -= 1) send();
        due = now;
    }, 5);
    return {
        async stop() {
            clearInterval(timer);
            await Promise.all(pending);
            kept.destroy();
            return result;
        },
    };
}
