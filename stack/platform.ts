import { READINESS_GATES } from "../components/edge/alb";
import { type Providers, configureProviders } from "../components/providers";
import { PlatformNamespace, type Quota } from "../components/platform/namespace";
import { type ResolvedStack } from "../config/resolve";
import { commonLabels } from "../core/labels";

/** What every concern of the stack is declared with. */
export interface PlatformContext {
    stack: ResolvedStack;
    providers: Providers;
    /** Labels on every Kubernetes object. */
    labels: Record<string, string>;
    namespace: PlatformNamespace;
}

/**
 * How the services rank among the pods of a cluster that is full. Production's take the place of others, such as
 * recurring tasks, which have 0 by default. Any other stack's are only served and kept before those.
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
            // Behind an ALB, a pod is ready once that finds it healthy, too.
            namespaceLabels: stack.ingress?.alb === undefined ? {} : READINESS_GATES,
            protect: stack.production,
            priority: stack.production ? PRIORITY.production : PRIORITY.other,
        },
        { providers: { kubernetes: providers.kubernetes } },
    );
    return { stack, providers, labels, namespace };
}
