import { type GateContext } from "../lib/gate";
import { type Kubernetes, type Pod } from "../lib/kubernetes";
import { type ReleaseHistory } from "../lib/releaseHistory";

/** Context of a gate, and its intervals. */
export interface ReleaseOptions extends GateContext {
    /** Default: the pod's ServiceAccount. */
    cluster?: Kubernetes;
    /** Current time, for the release history. Default: now. */
    date?: () => Date;
    /** Waits; rejects with {@link GateError} if the signal is aborted. Default: timers. */
    sleep?: (seconds: number, signal: AbortSignal) => Promise<void>;
    /** Endpoints and credentials of AWS. Default: the process's. */
    env?: NodeJS.ProcessEnv;
    /** Interval of the checks. Default: 5. */
    pollSeconds?: number;
    /** Interval of the soak's log lines. Default: 60. */
    lineSeconds?: number;
    /** Time for the Service to follow the switch. Default: 60. */
    settleSeconds?: number;
}

/** Dependencies of a gate's steps. */
export type ReleaseContext = Required<ReleaseOptions> & { history: ReleaseHistory };

/** The pods of a colour. */
export function podsOf(
    { app }: { app: string },
    colour: string,
    { cluster, signal }: ReleaseContext,
): Promise<Pod[]> {
    return cluster.list<Pod>("pods", { app, version: colour }, signal);
}

/** Current time in ISO 8601, for the release history. */
export function timestamp({ date }: ReleaseContext): string {
    return date().toISOString();
}
