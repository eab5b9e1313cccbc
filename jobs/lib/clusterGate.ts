import { GateError, type GateContext, type GateResult } from "./gate";
import { withTimeout } from "./http";
import { Kubernetes } from "./kubernetes";

/** Common fields of plans of gates that use the cluster. */
export interface ClusterGatePlan {
    /** Subject, for log lines. */
    subject: string;
    /** Deadline of the run, in seconds. */
    deadlineSeconds: number;
    namespace: string;
}

/** Context of such a gate. */
export interface ClusterGateOptions extends Pick<GateContext, "log" | "signal"> {
    /** Default: the pod's ServiceAccount. */
    cluster?: Kubernetes;
}

/** Runs a gate against the cluster with a deadline. Never rejects: an error is its verdict, by default a failure. */
export async function runInCluster(
    gate: string,
    { subject, deadlineSeconds, namespace }: ClusterGatePlan,
    options: ClusterGateOptions,
    work: (ctx: { cluster: Kubernetes; signal: AbortSignal }) => Promise<string>,
    stopped = (reason: string): GateResult => ({ passed: false, line: `FAILED ${subject}: ${reason}.` }),
): Promise<GateResult> {
    const { log } = options;
    log(`${gate} ${subject} in ${namespace}`);
    try {
        const cluster = options.cluster ?? Kubernetes.ofThisPod({ namespace, log });
        const deadline = `the deadline of ${deadlineSeconds} s passed`;
        const line = await withTimeout(deadlineSeconds, deadline, options.signal, (signal) =>
            work({ cluster, signal }),
        );
        return { passed: true, line: `PASSED ${subject}: ${line}.` };
    } catch (error) {
        const { message, stack } = error as Error;
        // Any other error is a fault of this program, and keeps its stack trace.
        if (!(error instanceof GateError)) log(stack ?? message);
        return stopped(message.replace(/\.$/, ""));
    }
}
