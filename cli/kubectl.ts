import { spawnSync } from "node:child_process";
import { type KubernetesValues } from "../config/kubernetes";
import { UsageError } from "../offline/stackFile";

/** Runs kubectl and returns what it printed; throws {@link UsageError} when it fails. */
export type Kubectl = (args: readonly string[]) => string;

/** Timeout of kubectl, in milliseconds. */
const KUBECTL_TIMEOUT = 60_000;

const DOCTOR = "npm run doctor checks the access to the cluster, and says what to do.";

/** Runs the kubectl on the PATH. */
export const runKubectl: Kubectl = (args) => {
    const { error, status, stdout, stderr } = spawnSync("kubectl", args, {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        timeout: KUBECTL_TIMEOUT,
        maxBuffer: 64 * 1024 * 1024,
    });
    if (error !== undefined) {
        const reasons: Record<string, string> = {
            ENOENT: "is not on the PATH",
            ETIMEDOUT: `gave no answer within ${KUBECTL_TIMEOUT / 1000} s`,
        };
        const { code = "" } = error as NodeJS.ErrnoException;
        throw new UsageError(
            `kubectl ${reasons[code] ?? `cannot be run: ${error.message}`}`,
            code === "ENOENT" ? `Install it: https://kubernetes.io/docs/tasks/tools/. ${DOCTOR}` : DOCTOR,
        );
    }
    if (status !== 0) {
        throw new UsageError(
            `kubectl failed: ${messageLines(stderr).join("; ") || `exit status ${status}`}`,
            DOCTOR,
        );
    }
    return stdout;
};

/** Lines of a program's standard error without kubectl's log lines, which repeat the last message. */
export function messageLines(stderr: string): string[] {
    return stderr.split("\n").filter((line) => line.trim() !== "" && !/^[EFIW]\d{4} /.test(line));
}

/** Arguments of kubectl that select the stack's namespace. */
export function inCluster({ namespace, context, kubeconfig }: KubernetesValues): string[] {
    return [
        ...["-n", namespace],
        ...(context === undefined ? [] : ["--context", context]),
        ...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig]),
    ];
}
