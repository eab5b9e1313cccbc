import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import { type ComponentResource } from "@pulumi/pulumi";
import { metadataOf, type WorkloadArgs } from "./workload";

/** Lets a node drain evict one pod at a time. It may evict the only one, so that the drain can end. */
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
            spec: { maxUnavailable: 1, selector: { matchLabels: selector } },
        },
        { parent },
    );
}
