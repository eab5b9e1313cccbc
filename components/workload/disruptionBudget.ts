import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import { type ComponentResource } from "@pulumi/pulumi";
import { oneAtATime } from "../kubernetes/disruptionBudget";
import { metadataOf, type WorkloadArgs } from "./workload";

/** Lets a node drain evict one pod of a workload at a time. */
export function declareDisruptionBudget(
    name: string,
    app: string,
    args: WorkloadArgs,
    selector: Record<string, string>,
    parent: ComponentResource,
): PodDisruptionBudget {
    return new PodDisruptionBudget(
        name,
        {
            metadata: metadataOf(name, app, args),
            spec: oneAtATime(selector),
        },
        { parent },
    );
}
