import { GateError } from "./gate";
import { type Answer, request, withTimeout } from "./http";
import { type Kubernetes, type Pod } from "./kubernetes";

/** A pod that accepts requests. */
export interface RunningPod {
    name: string;
    ip: string;
}

/** Timeout of one request to a pod, in seconds. */
const REQUEST_SECONDS = 10;

/** The running pods of a service, ready or not: a failing pod may also respond. */
export async function runningPods(
    cluster: Kubernetes,
    app: string,
    signal: AbortSignal,
): Promise<RunningPod[]> {
    const pods = await cluster.list<Pod>("pods", { app }, signal);
    const running = pods.flatMap(({ metadata: { name, deletionTimestamp }, status: { phase, podIP: ip } }) =>
        phase === "Running" && ip !== undefined && deletionTimestamp === undefined ? [{ name, ip }] : [],
    );
    if (running.length === 0) throw new GateError(`no pod of ${app} is running`);
    return running;
}

/** Sends one request directly to a pod. Never rejects; a status other than 2xx is an error. */
export async function askPod(
    { ip }: RunningPod,
    { port, path, method = "GET" }: { port: number; path: string; method?: "GET" | "POST" },
    signal: AbortSignal,
): Promise<Pick<Answer, "body" | "error">> {
    const url = `http://${ip.includes(":") ? `[${ip}]` : ip}:${port}${path}`;
    const {
        status,
        body,
        error: error,
    } = await withTimeout(REQUEST_SECONDS, `no answer within ${REQUEST_SECONDS} s`, signal, (attempt) =>
        request(url, { method, headers: { connection: "close" } }, attempt, 8 * 1024 * 1024),
    );
    if (error !== undefined) return { body, error: error };
    return status !== undefined && status >= 200 && status < 300
        ? { body }
        : { body, error: `status ${status}` };
}
