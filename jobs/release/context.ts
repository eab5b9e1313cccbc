import { type GateContext } from "../lib/gate";
import { type Kubernetes, type Pod } from "../lib/kubernetes";
import { type ReleaseHistory } from "../lib/releaseHistory";

/** The context of a gate, and how fast it looks. */
export interface ReleaseOptions extends GateContext {
    /** Default: as the ServiceAccount of the pod this runs in. */
    cluster?: Kubernetes;
    /** Time of day, for the release history. Default: now. */
    date?: () => Date;
    /** Waits; rejects with {@link GateError} when the signal fires meanwhile. Default: by the process's timers. */
    sleep?: (seconds: number, signal: AbortSignal) => Promise<void>;
    /** Where AWS and its credentials are. Default: the process's own. */
    env?: NodeJS.ProcessEnv;
    /** Between two looks at the cluster. Default: 5. */
    pollSeconds?: number;
    /** Between two lines about a soak. Default: 60. */
    lineSeconds?: number;
    /** How long the Service may take to follow the switch. Default: 60. */
    settleSeconds?: number;
}

/** What a gate works with. */
export type ReleaseContext = Required<ReleaseOptions> & { history: ReleaseHistory };

/** The pods of a colour. */
export function podsOf(
    { app }: { app: string },
    colour: string,
    { cluster, signal }: ReleaseContext,
): Promise<Pod[]> {
    return cluster.list<Pod>("pods", { app, version: colour }, signal);
}

/** Time of day in ISO 8601, for the release history. */
export function timestamp({ date }: ReleaseContext): string {
    return date().toISOString();
}
