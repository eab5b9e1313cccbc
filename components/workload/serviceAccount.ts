import { ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { type ComponentResource } from "@pulumi/pulumi";
import { metadataOf, type WorkloadArgs } from "./workload";

/** Declares the ServiceAccount of a workload's pods, without a token. */
export function declareServiceAccount(
    app: string,
    args: WorkloadArgs,
    parent: ComponentResource,
): ServiceAccount {
    return new ServiceAccount(
        app,
        { metadata: metadataOf(app, app, args), automountServiceAccountToken: false },
        { parent },
    );
}
