import { READINESS_GATES } from "../components/edge/alb";
import { type Providers, configureProviders } from "../components/providers";
import { commonLabels } from "../core/labels";
import { PlatformNamespace } from "../components/platform/namespace";
import { quotaFor } from "../components/platform/quota";
import { EXPORT_TASKS } from "../components/backup/configurationExport";
import { DUMP_TASKS } from "../components/backup/databaseDumps";
import { DATABASE_TASKS } from "../components/data/databaseAccess";
import { UPGRADE_TASKS } from "../components/maintenance/upgradeCheck";
import { HEALTH_TASKS } from "../components/observability/healthChecks";
import { MOST_COLLECTORS } from "../components/observability/metricsCollector";
import { CLEANUP_TASKS } from "../components/operations/cacheCleanup";
import { MAINTENANCE_TASKS } from "../components/operations/databaseMaintenance";
import { type ResolvedStack } from "../config/resolve";

/** Operations that have no schedule: diagnostics, and clearing the JWKS cache. */
const OPERATION_TASKS = 2;

/** What every concern of the stack is declared with. */
export interface PlatformContext {
    stack: ResolvedStack;
    providers: Providers;
    /** Labels on every Kubernetes object. */
    labels: Record<string, string>;
    namespace: PlatformNamespace;
}

/** Declares the providers and the namespace. */
export function declarePlatform(stack: ResolvedStack): PlatformContext {
    const providers = configureProviders(stack);
    const { name, workloads, database, cache, backups, health, observability, maintenance, ingress } = stack;
    const labels = commonLabels(stack.environment);
    const namespace = new PlatformNamespace(
        name,
        {
            namespace: name,
            labels,
            quota: quotaFor(Object.values(workloads), {
                otherGates: ingress?.verify ? 1 : 0,
                tasks:
                    (database === undefined ? 0 : DATABASE_TASKS) +
                    (backups === undefined ? 0 : EXPORT_TASKS) +
                    (backups === undefined || database === undefined
                        ? 0
                        : DUMP_TASKS + MAINTENANCE_TASKS + Object.keys(workloads).length) +
                    (health === undefined ? 0 : HEALTH_TASKS) +
                    (cache === undefined ? 0 : CLEANUP_TASKS) +
                    (maintenance?.upgrade === undefined ? 0 : UPGRADE_TASKS) +
                    OPERATION_TASKS,
                others: observability === undefined ? [] : MOST_COLLECTORS,
            }),
            // Behind an ALB, a pod is ready once that finds it healthy, too.
            namespaceLabels: ingress?.alb === undefined ? {} : READINESS_GATES,
            protect: stack.production,
        },
        { providers: { kubernetes: providers.kubernetes } },
    );
    return { stack, providers, labels, namespace };
}
