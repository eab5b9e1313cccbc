import { GateError, type GateContext, type GateResult } from "./gate";
import { withTimeout } from "./http";
import { Kubernetes } from "./kubernetes";

/** What every plan of a gate that asks the cluster says. */
export interface ClusterGatePlan {
    /** Who is judged, for the lines printed. */
    subject: string;
    /** Whole-run limit in seconds. */
    deadlineSeconds: number;
    namespace: string;
}

/** The surroundings of such a gate. */
export interface ClusterGateOptions extends Pick<GateContext, "log" | "signal"> {
    /** Default: as the ServiceAccount of the pod this runs in. */
    cluster?: Kubernetes;
}

/**
 * Runs a gate against the cluster within its time. Never rejects: whatever stops it is its verdict, by default that it
 * did not pass.
 */
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
        // Anything else is a mistake of this program, and whoever looks for it wants to know where.
        if (!(error instanceof GateError)) log(stack ?? message);
        return stopped(message.replace(/\.$/, ""));
    }
}
