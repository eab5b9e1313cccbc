import { HealthChecks } from "../components/observability/healthChecks";
import { pinned } from "../config/images";
import { controllerNamespace, healthProbes, publicEndpoints } from "../config/joins";
import { type Data } from "./data";
import { type PlatformContext } from "./platform";

/** Declares the health check, if the stack has one. Sections 2.1, 2.2, 4.3.1 and 4.3.4. */
export function declareHealth(context: PlatformContext, { database, cache }: Data): void {
    const { values, providers, labels, namespace } = context;
    const { health, kubernetes, ingress, jobs, images } = values;
    if (health === undefined) {
        return;
    }
    new HealthChecks(
        "mcp-health",
        {
            namespace: namespace.namespace,
            labels,
            cluster: kubernetes.cluster!,
            region: values.aws.region,
            metricNamespace: context.metrics,
            probes: healthProbes(values, health),
            outside: publicEndpoints(values),
            services: Object.entries(values.workloads).map(([app, { port }]) => ({ app, port })),
            stores: { database: database?.connection, cache: cache?.connection },
            network: kubernetes.vpc,
            ingressNamespace: controllerNamespace(values),
            ports: ingress?.address === undefined ? [] : [Number(ingress.address.split(":").at(-1))],
            images: {
                node: pinned(images, jobs.images.node),
                aws: pinned(images, jobs.images.aws!),
                postgres: jobs.images.postgres && pinned(images, jobs.images.postgres),
            },
            run: values.operations.healthCheck,
        },
        { providers: { aws: providers.aws, kubernetes: providers.kubernetes } },
    );
}
