import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import { type ComponentResource } from "@pulumi/pulumi";
import { contentHash } from "../../core/hash";
import { metadataOf, type WorkloadArgs } from "./workload";

/**
 * Declares the configuration of one release, named by its content: pods start with exactly what they were rolled out
 * with, and the preview shows a changed value as a new ConfigMap and a rollout.
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
