import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type KubernetesValues } from "../../config/kubernetes";
import { inCluster } from "../kubectl";

/** Milliseconds between two lookups of a Job's pod. */
const LOOK_MILLISECONDS = 2000;

/**
 * Hands on the lines of gates and tasks live, by `kubectl logs`: the engine shows only those of a failed Job, at its end.
 * Without kubectl or its rights, there are no lines and no error.
 */
export class GateLines {
    private readonly running = new Map<string, ChildProcess | undefined>();
    private readonly since = Date.now();
    private stopped = false;

    constructor(
        private readonly access: KubernetesValues,
        /** Takes the name of a Job's resource, and a line of the Job. */
        private readonly heard: (name: string, line: string) => void,
    ) {}

    /** Follows the Job of a resource with this name, to which the engine adds digits. */
    follow(name: string): void {
        if (!this.running.has(name)) {
            this.running.set(name, undefined);
            void this.read(name);
        }
    }

    stop(): void {
        this.stopped = true;
        for (const child of this.running.values()) {
            child?.kill();
        }
    }

    private async read(name: string): Promise<void> {
        while (!this.stopped) {
            const pod = await this.podOf(name);
            if (pod === undefined) {
                return;
            }
            if (pod !== "") {
                const child = this.kubectl("logs", "--follow", "--all-containers", pod);
                this.running.set(name, child);
                for await (const line of createInterface({ input: child.stdout! })) {
                    this.heard(name, line);
                }
                return;
            }
            await sleep(LOOK_MILLISECONDS);
        }
    }

    /** Name of the Job's newest pod started since; empty if there is none yet, undefined without kubectl. */
    private async podOf(name: string): Promise<string | undefined> {
        const columns =
            "{range .items[*]}{.metadata.creationTimestamp} {.status.phase} {.metadata.name}\n{end}";
        const child = this.kubectl(
            "get",
            "pods",
            // An unreachable API server must not delay the command's end.
            "--request-timeout=10s",
            "-l",
            "batch.kubernetes.io/job-name",
            "-o",
            `jsonpath=${columns}`,
        );
        const text = await outputOf(child);
        if (text === undefined) {
            return undefined;
        }
        const begun = text
            .split("\n")
            .map((line) => line.split(" "))
            .filter(
                ([created, phase, pod]) =>
                    pod?.startsWith(`${name}-`) &&
                    phase !== "Pending" &&
                    // The clocks of this machine and the cluster may differ.
                    Date.parse(created!) > this.since - 30_000,
            );
        return begun.sort(([one], [other]) => (one! < other! ? -1 : 1)).at(-1)?.[2] ?? "";
    }

    /** Ready and wanted pods of a Deployment; undefined where there is none, or no kubectl. */
    readonly podsOf = async (deployment: string): Promise<{ ready: number; wanted: number } | undefined> => {
        const columns = "{.status.readyReplicas} {.spec.replicas}";
        const text = await outputOf(
            this.kubectl(
                "get",
                "deployment",
                deployment,
                "--request-timeout=5s",
                "-o",
                `jsonpath=${columns}`,
            ),
        );
        const [ready, wanted] = (text ?? "").split(" ");
        // No pod is ready where the first is missing.
        return wanted === undefined ? undefined : { ready: Number(ready), wanted: Number(wanted) };
    };

    private kubectl(...args: string[]): ChildProcess {
        return spawn("kubectl", [...args, ...inCluster(this.access)], {
            stdio: ["ignore", "pipe", "ignore"],
        });
    }
}

/** What a program printed; undefined where it failed. */
async function outputOf(child: ChildProcess): Promise<string | undefined> {
    let text = "";
    child.stdout!.setEncoding("utf8").on("data", (part: string) => (text += part));
    const status = await new Promise<number | null>((done) => {
        child.once("error", () => done(null));
        child.once("close", done);
    });
    return status === 0 ? text : undefined;
}
