import { mebibytes, millicores } from "../../core/quantities";
import { type PodResources, type Resources } from "../kubernetes/pod";
import { type Quota } from "./namespace";

/**
 * The quota of a namespace: each component declares how many pods it runs at most, and their requests. A fixed quota
 * could block a scale-up; this one follows the values.
 */
export function quotaOf(pods: readonly PodResources[]): Quota {
    const containers = pods.flat();
    const total = (quantity: (resources: Resources) => number) =>
        containers.reduce((sum, resources) => sum + quantity(resources), 0);
    return {
        pods: pods.length,
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
