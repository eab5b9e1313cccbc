import { READINESS_GATES } from "../components/edge/alb";
import { type Providers, configureProviders } from "../components/providers";
import { PlatformNamespace, type Quota } from "../components/platform/namespace";
import { type ResolvedStack } from "../config/resolve";
import { commonLabels } from "../core/labels";

/** Common dependencies of every concern. */
export interface PlatformContext {
    stack: ResolvedStack;
    providers: Providers;
    /** Labels on every Kubernetes object. */
    labels: Record<string, string>;
    namespace: PlatformNamespace;
}

/**
 * Priority of the services on a full cluster. Production's preempt others, such as scheduled tasks, which have 0 by
 * default. Those of other stacks do not preempt.
 */
const PRIORITY = {
    production: { value: 1_000_000, preempts: true },
    other: { value: 1000, preempts: false },
} as const;

/** Declares the providers and the namespace. */
export function declarePlatform(stack: ResolvedStack, quota: Quota): PlatformContext {
    const { onAws, environment, production, kubernetes } = stack;
    const providers = configureProviders({
        environment,
        production,
        kubernetes,
        aws: onAws ? stack.aws : undefined,
        copies: stack.copies,
    });
    const labels = commonLabels(stack.environment, stack.production);
    const namespace = new PlatformNamespace(
        stack.name,
        {
            namespace: stack.name,
            labels,
            quota,
            registries: stack.registries,
            dns: stack.kubernetes.dns,
            // Behind an ALB, a pod becomes ready only after the ALB finds it healthy.
            namespaceLabels: stack.ingress?.alb === undefined ? {} : READINESS_GATES,
            protect: stack.production,
            priority: stack.production ? PRIORITY.production : PRIORITY.other,
        },
        { providers: { kubernetes: providers.kubernetes } },
    );
    return { stack, providers, labels, namespace };
}
