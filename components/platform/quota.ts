import { mebibytes, millicores } from "../../core/quantities";
import { TASK_RESOURCES } from "../tasks/task";
import { GATE_RESOURCES } from "../tasks/gate";
import { type Resources } from "../kubernetes/pod";
import { MAX_SURGE_PERCENT } from "../workload/deployment";
import { type Quota } from "./namespace";

/** What the most pods of a workload follow from. */
export interface WorkloadSize {
    strategy: "rolling" | "blueGreen";
    scaling: { max: number };
    resources: Resources;
    smoke: { image?: string | undefined };
}

/**
 * The largest a set of workloads can grow: every one at its maximum, in the middle of a rollout, with its gate
 * running and its tasks beside it. A quota by hand would stop the very scale-up it forgot; this one follows the values.
 */
export function quotaFor(
    workloads: readonly WorkloadSize[],
    { otherGates, tasks, others }: { otherGates: number; tasks: number; others: readonly Resources[] },
): Quota {
    const containers = workloads.flatMap(({ resources, smoke, ...workload }) => [
        ...Array<Resources>(mostPods(workload)).fill(resources),
        GATE_RESOURCES,
        ...(smoke.image === undefined ? [] : [GATE_RESOURCES]),
    ]);
    containers.push(...Array<Resources>(otherGates).fill(GATE_RESOURCES));
    containers.push(...Array<Resources>(tasks).fill(TASK_RESOURCES), ...others);
    const total = (quantity: (resources: Resources) => number) =>
        containers.reduce((sum, resources) => sum + quantity(resources), 0);
    return {
        pods: workloads.reduce(
            (pods, workload) => pods + mostPods(workload) + 1,
            otherGates + tasks + others.length,
        ),
        requests: {
            cpu: `${total(({ cpu }) => millicores(cpu.request))}m`,
            memory: `${total(({ memory }) => mebibytes(memory.request))}Mi`,
        },
        limits: {
            cpu: `${total(({ cpu }) => millicores(cpu.limit))}m`,
            memory: `${total(({ memory }) => mebibytes(memory.limit))}Mi`,
        },
    };
}

/** Pods of a workload at its largest: in the middle of a rollout, and with both colours where it has two. */
function mostPods({ scaling, strategy }: Pick<WorkloadSize, "scaling" | "strategy">): number {
    const surge = Math.ceil((scaling.max * MAX_SURGE_PERCENT) / 100);
    return scaling.max + surge + (strategy === "blueGreen" ? scaling.max : 0);
}
