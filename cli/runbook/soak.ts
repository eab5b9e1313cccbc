import { hostname, userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type KubernetesValues } from "../../config/kubernetes";
import { LEDGER } from "../../core/labels";
import { isCompleted, parseHistory } from "../../jobs/lib/releaseHistory";
import { UsageError } from "../../offline/stackFile";
import { inCluster, type Kubectl, runKubectl } from "../kubectl";

/** Maximum seconds for a gate to notice an abort and to end. */
const ABORT_SECONDS = 90;

/** A Job that an update waits for. */
export interface RunningJob {
    name: string;
    /** Start, in ISO 8601. */
    since: string;
    /** The gate's release, if it can be aborted: of the capacity and the soak gate. */
    release?: AbortableRelease;
}

/** A release that a gate is checking. */
export interface AbortableRelease {
    workload: string;
    colour: "blue" | "green";
    version: string;
    /** Ticket and approvers, as far as the release history has them. */
    approval: string[];
}

interface Job {
    metadata: {
        name: string;
        annotations?: Record<string, string>;
        ownerReferences?: { kind: string }[];
    };
    status?: { active?: number; startTime?: string };
}

/**
 * The Jobs that an update waits for, oldest first; those of schedules are left out, and those that go on beside it.
 *
 * @throws UsageError if kubectl is missing or fails.
 */
export function runningJobs(access: KubernetesValues, kubectl: Kubectl = runKubectl): RunningJob[] {
    const read = (...what: string[]) =>
        JSON.parse(
            kubectl(["get", ...what, "-o", "json", "--request-timeout=10s", ...inCluster(access)]),
        ) as unknown;
    const { items } = read("jobs") as { items: Job[] };
    const active = items.filter(
        ({ metadata, status }) =>
            (status?.active ?? 0) > 0 &&
            metadata.annotations?.["pulumi.com/skipAwait"] === undefined &&
            !metadata.ownerReferences?.some(({ kind }) => kind === "CronJob"),
    );
    const gates = active.map(({ metadata: { name }, status }) => {
        const [, workload, colour] = /^(.+)-(blue|green)-(?:capacity|soak)-/.exec(name) ?? [];
        return { name, since: status?.startTime ?? "", workload, colour: colour as "blue" | "green" };
    });
    const data = gates.some(({ workload }) => workload !== undefined)
        ? ((read("configmap", LEDGER) as { data?: Record<string, string> }).data ?? {})
        : {};
    return gates
        .map(({ name, since, workload, colour }) => ({
            name,
            since,
            ...(workload !== undefined && releaseOf(data, workload, colour)),
        }))
        .sort((one, other) => (one.since < other.since ? -1 : 1));
}

/** The release of a colour that is not completed, which a gate is checking. */
function releaseOf(
    data: Record<string, string>,
    workload: string,
    colour: "blue" | "green",
): Pick<RunningJob, "release"> {
    const entry = parseHistory(data, workload).entries.findLast(
        (each) => each.colour === colour && !isCompleted(each),
    );
    if (entry === undefined) return {};
    const { version, ticket, evidence } = entry;
    const { approvers = [] } = evidence ?? {};
    const approval = [ticket, approvers.length > 0 ? `approved by ${approvers.join(", ")}` : undefined];
    return {
        release: { workload, colour, version, approval: approval.filter((each) => each !== undefined) },
    };
}

/** A Job as one line. */
export function describeJob({ name, since, release }: RunningJob): string {
    if (release === undefined) return `Job ${name}, since ${since}`;
    const { workload, version, colour, approval } = release;
    const record = approval.length === 0 ? "" : ` (${approval.join(", ")})`;
    return `${workload} ${version} (${colour})${record}: Job ${name}, since ${since}`;
}

/**
 * Aborts a release at its gate by an entry in the release history, which the gate reads every few seconds. The gate
 * fails, and the update that waits for it rolls the release back. Returns when the gate has ended.
 *
 * @param why Reason, which the gate prints.
 * @throws UsageError if kubectl lacks the right, or the gate does not end.
 */
export async function abortRelease(
    access: KubernetesValues,
    { name, release }: Required<RunningJob>,
    why: string,
    signal: AbortSignal,
    kubectl: Kubectl = runKubectl,
): Promise<void> {
    const by = `${userInfo().username}@${hostname()}`;
    const data = { [`${release.workload}.abort`]: `${release.version} for ${why}, by ${by}` };
    const patch = JSON.stringify({ data });
    kubectl(["patch", "configmap", LEDGER, "--type", "merge", "-p", patch, ...inCluster(access)]);
    const limit = Date.now() + ABORT_SECONDS * 1000;
    while (runningJobs(access, kubectl).some((job) => job.name === name)) {
        if (Date.now() > limit) {
            throw new UsageError(
                `Job ${name} has not ended within ${ABORT_SECONDS} s after its release was aborted: look at it with kubectl logs -n ${access.namespace} job/${name}`,
            );
        }
        await sleep(1000, undefined, { signal });
    }
}
