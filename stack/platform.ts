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
import { type StackValues } from "../config";
import { LOG_RETENTION_DAYS, TRIAL_LOG_RETENTION_DAYS } from "../core/numbers";

/** Operations that have no schedule: diagnostics, and clearing the JWKS cache. */
const OPERATION_TASKS = 2;

/** What every part of the platform stands on. */
export interface PlatformContext {
    values: StackValues;
    providers: Providers;
    /** Whether production's stricter rules hold: data is protected, there are two zones, events are kept for a year. */
    production: boolean;
    /** Begins the names of what exists once a stack: `mcp-production`. */
    name: string;
    /** Labels on every Kubernetes object. */
    labels: Record<string, string>;
    namespace: PlatformNamespace;
    /** How long log groups stay searchable, in days. Section 5.3. */
    logDays: number;
    /** CloudWatch namespace of the platform's own metrics. */
    metrics: string;
}

/** Declares the providers and the namespace. */
export function declarePlatform(values: StackValues): PlatformContext {
    const providers = configureProviders(values);
    const { environment, workloads, database, cache, backups, health, observability, maintenance } = values;
    const production = environment === "production";
    const labels = commonLabels(environment);
    const name = values.kubernetes.namespace;
    const namespace = new PlatformNamespace(
        name,
        {
            namespace: name,
            labels,
            quota: quotaFor(Object.values(workloads), {
                otherGates: verifiesCertificates(values) ? 1 : 0,
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
            namespaceLabels: values.ingress?.alb === undefined ? {} : READINESS_GATES,
            protect: production,
        },
        { providers: { kubernetes: providers.kubernetes } },
    );
    const logDays = production ? LOG_RETENTION_DAYS : TRIAL_LOG_RETENTION_DAYS;
    return { values, providers, production, name, labels, namespace, logDays, metrics: `MCP/${environment}` };
}

/** Whether an update waits until the hosts serve the active certificate. Section 5.4 step 4. */
export function verifiesCertificates({ ingress, environment }: StackValues): boolean {
    return ingress !== undefined && (ingress.verify ?? environment === "production");
}
