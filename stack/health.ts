import { type PodResources } from "../components/kubernetes/pod";
import { HEALTH_PODS, HealthChecks } from "../components/observability/healthChecks";
import { OutsideChecks } from "../components/observability/outsideChecks";
import { type ResolvedStack } from "../config/resolve";
import { type Data } from "./data";
import { type PlatformContext } from "./platform";

/** Maximum number of pods at the same time. */
export function healthPods({ health }: ResolvedStack): readonly PodResources[] {
    return health === undefined ? [] : HEALTH_PODS;
}

/** Declares the health check, if the stack has one. Sections 2.1, 2.2, 4.3.1 and 4.3.4. */
export function declareHealth(context: PlatformContext, { database, cache }: Data): void {
    const { stack, providers, labels, namespace } = context;
    const { health, ingress } = stack;
    if (health === undefined) {
        return;
    }
    const outside =
        health.outside.length === 0
            ? undefined
            : new OutsideChecks(
                  `${stack.name}-outside`,
                  {
                      endpoints: health.outside,
                      ...stack.aws,
                      metrics: stack.metrics,
                      logDays: stack.logDays,
                  },
                  { providers: { aws: providers.aws } },
              );
    new HealthChecks(
        "mcp-health",
        {
            ...health,
            namespace: namespace.namespace,
            labels,
            outside: outside?.checks ?? {},
            metricNamespace: stack.metrics,
            services: Object.entries(stack.workloads).map(([app, { port }]) => ({ app, port })),
            stores: { database: database?.connection, cache: cache?.connection },
            network: stack.kubernetes.vpc,
            ingressNamespace: ingress?.controllerNamespace,
            ports: ingress?.address === undefined ? [] : [Number(ingress.address.split(":").at(-1))],
        },
        { providers: { aws: providers.aws, kubernetes: providers.kubernetes } },
    );
}
