import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import { type ComponentResource } from "@pulumi/pulumi";
import { contentHash } from "../../core/hash";
import { metadataOf, type WorkloadArgs } from "./workload";

/**
 * Declares the configuration of one release, named by its hash: pods restart with exactly the configuration of their
 * release, and the preview shows a change as a new ConfigMap and a rollout.
 */
export function declareConfiguration(
    name: string,
    app: string,
    args: WorkloadArgs,
    data: Record<string, string>,
    parent: ComponentResource,
): ConfigMap {
    const metadata = metadataOf(`${name}-config-${contentHash(data)}`, app, args);
    return new ConfigMap(`${name}-config`, { metadata, immutable: true, data }, { parent });
}
