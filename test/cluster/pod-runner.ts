import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Api, ApiError, type Resource } from "./api";
import { onProcessEnd } from "./process-end";

/** Label of the pods that are run here; kwok leaves them alone (control-plane/stages.yaml). */
export const RUN_BY_POD_RUNNER = { "mcp/run-by": "pod-runner" };

type Pod = Resource<
    {
        nodeName?: string;
        terminationGracePeriodSeconds: number;
        containers: {
            name: string;
            image: string;
            env?: { name: string; value?: string }[];
            ports: { containerPort: number }[];
            lifecycle?: { preStop?: { sleep?: { seconds: number } } };
        }[];
    },
    { podIP?: string }
>;

/** Runs pods as processes of this machine. */
export interface PodRunner {
    /** Stops every process at once. */
    stop(): Promise<void>;
}

/**
 * Runs the pods of a namespace with {@link RUN_BY_POD_RUNNER} as a kubelet would: each is an HTTP server
 * (pod-server.cjs) with a separate address, ready once it listens. A deleted pod ends as a kubelet ends it: the preStop
 * hook, then SIGTERM, then SIGKILL after the grace period.
 */
export function startPodRunner(api: Api, namespace: string): PodRunner {
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const playing = new Map<string, Play>();
    let count = 0;
    const selector = Object.entries(RUN_BY_POD_RUNNER).map(([label, value]) => `${label}%3D${value}`);
    const end = api.watch<Pod>(`${pods}?labelSelector=${selector.join()}`, (type, pod) => {
        const { uid, deletionTimestamp } = pod.metadata;
        const play = playing.get(uid);
        if (type === "DELETED") play?.kill();
        else if (play === undefined && pod.spec.nodeName && !deletionTimestamp && !pod.status.podIP) {
            count += 1;
            // The API accepts no loopback addresses of pods; processOf maps to the real one.
            playing.set(uid, new Play(api, pods, pod, `10.${64 + (count >> 8)}.${count & 255}.1`));
        } else if (deletionTimestamp) play?.terminate(pod);
    });
    return {
        async stop() {
            end();
            const all = [...playing.values()];
            for (const play of all) play.kill();
            await Promise.all(all.map(({ ended }) => ended));
        },
    };
}

/** Where the process of a pod listens. */
export function processOf(podIP: string): string {
    return podIP.replace(/^10\./, "127.");
}

/** One pod's process, from its start to its end. */
class Play {
    readonly ended: Promise<void>;
    private readonly child: ChildProcess;
    private terminating = false;

    constructor(
        private readonly api: Api,
        private readonly pods: string,
        pod: Pod,
        podIP: string,
    ) {
        const { name } = pod.metadata;
        const { ports, env = [] } = pod.spec.containers[0]!;
        const args = [processOf(podIP), String(ports[0]!.containerPort), name];
        this.child = fork(join(__dirname, "pod-server.cjs"), args, {
            stdio: "ignore",
            env: { ...process.env, ...Object.fromEntries(env.map(({ name, value }) => [name, value])) },
        });
        const forget = onProcessEnd(() => this.kill());
        this.child.once("message", () => void this.report(pod, podIP));
        this.ended = new Promise((done) =>
            this.child.once("close", () => {
                forget();
                done();
            }),
        );
    }

    kill(): void {
        this.child.kill("SIGKILL");
    }

    /** Ends the pod as its manifest says. */
    terminate({ metadata: { name }, spec }: Pod): void {
        if (this.terminating) return;
        this.terminating = true;
        const preStop = spec.containers[0]!.lifecycle?.preStop?.sleep?.seconds ?? 0;
        const grace = setTimeout(() => this.kill(), spec.terminationGracePeriodSeconds * 1000);
        void (async () => {
            await Promise.race([sleep(preStop * 1000), this.ended]);
            this.child.kill("SIGTERM");
            await this.ended;
            clearTimeout(grace);
            await this.unlessGone(this.api.delete(`${this.pods}/${name}?gracePeriodSeconds=0`));
        })();
    }

    private report({ metadata: { name }, spec }: Pod, podIP: string): Promise<void> {
        const startedAt = new Date().toISOString();
        const condition = (type: string) => ({ type, status: "True", lastTransitionTime: startedAt });
        const status = {
            phase: "Running",
            startTime: startedAt,
            podIP,
            podIPs: [{ ip: podIP }],
            conditions: ["Initialized", "ContainersReady", "Ready"].map(condition),
            containerStatuses: spec.containers.map(({ name, image }) => ({
                ...{ name, image, imageID: image, ready: true, started: true, restartCount: 0 },
                state: { running: { startedAt } },
            })),
        };
        return this.unlessGone(this.api.patch(`${this.pods}/${name}/status`, { status }));
    }

    /** A pod, or the whole control plane, may be gone before a status is written. */
    private async unlessGone(call: Promise<unknown>): Promise<void> {
        await call.catch((error: unknown) => {
            const closed = (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
            if (!(error instanceof ApiError && error.status === 404) && !closed) throw error;
        });
    }
}
