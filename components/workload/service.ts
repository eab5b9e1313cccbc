import { Service } from "@pulumi/kubernetes/core/v1";
import { type ComponentResource, type Resource } from "@pulumi/pulumi";
import { targetAnnotations } from "../edge/alb";
import { SKIP_AWAIT } from "../kubernetes/annotations";
import { deregistrationSeconds, gracePeriodOf, metadataOf, type WorkloadArgs } from "./workload";

/** Settings of one Service of a workload. */
export interface ServiceArgs {
    app: string;
    /** Labels of the pods that get the requests. */
    selector: Record<string, string>;
    /** Whether the update waits until the Service selects a pod. */
    await: boolean;
    dependsOn: readonly Resource[];
}

/**
 * Declares a Service for the selected pods. Behind an ALB, each Service has the health check settings, even if its pods
 * are no targets: the controller may read them at any time.
 */
export function declareService(
    name: string,
    args: WorkloadArgs,
    own: ServiceArgs,
    parent: ComponentResource,
): Service {
    const metadata = metadataOf(name, own.app, args);
    const annotations = {
        ...(own.await ? {} : SKIP_AWAIT),
        // A request may take as long as the pod's grace period.
        ...(args.alb === undefined
            ? {}
            : targetAnnotations(args.probes.readiness, deregistrationSeconds(args) + gracePeriodOf(args))),
    };
    return new Service(
        name,
        {
            metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations },
            spec: {
                type: "ClusterIP",
                selector: own.selector,
                ports: [{ name: "http", port: args.port, targetPort: "http" }],
            },
        },
        // The cluster gives the address. That of an imported Service is an input: without it, the update would replace the Service.
        { parent, dependsOn: [...own.dependsOn], ignoreChanges: ["spec.clusterIP"] },
    );
}
