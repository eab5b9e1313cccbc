import { Failure } from "./gate";
import { type Answer, ask, within } from "./http";
import { type Kubernetes, type Pod } from "./kubernetes";

/** A pod that can be asked. */
export interface RunningPod {
    name: string;
    ip: string;
}

/** Limit of one request to a pod, in seconds. */
const REQUEST_SECONDS = 10;

/** The running pods of a service, whether or not they are ready: also one in trouble has something to say. */
export async function runningPods(
    cluster: Kubernetes,
    app: string,
    signal: AbortSignal,
): Promise<RunningPod[]> {
    const pods = await cluster.list<Pod>("pods", { app }, signal);
    const running = pods.flatMap(({ metadata: { name, deletionTimestamp }, status: { phase, podIP: ip } }) =>
        phase === "Running" && ip !== undefined && deletionTimestamp === undefined ? [{ name, ip }] : [],
    );
    if (running.length === 0) throw new Failure(`no pod of ${app} is running`);
    return running;
}

/** Sends one request to a pod itself. Never rejects; what is not a status of 2xx is trouble. */
export async function askPod(
    { ip }: RunningPod,
    { port, path, method = "GET" }: { port: number; path: string; method?: "GET" | "POST" },
    signal: AbortSignal,
): Promise<Pick<Answer, "body" | "trouble">> {
    const url = `http://${ip.includes(":") ? `[${ip}]` : ip}:${port}${path}`;
    const { status, body, trouble } = await within(
        REQUEST_SECONDS,
        `no answer within ${REQUEST_SECONDS} s`,
        signal,
        (attempt) => ask(url, { method, headers: { connection: "close" } }, attempt, 8 * 1024 * 1024),
    );
    if (trouble !== undefined) return { body, trouble };
    return status !== undefined && status >= 200 && status < 300
        ? { body }
        : { body, trouble: `status ${status}` };
}
