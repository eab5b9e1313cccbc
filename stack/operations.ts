import { type PodResources } from "../components/kubernetes/pod";
import { CacheCleanup, CLEANUP_PODS } from "../components/operations/cacheCleanup";
import { DatabaseMaintenance, MAINTENANCE_PODS } from "../components/operations/databaseMaintenance";
import { Diagnostics, DIAGNOSTICS_PODS } from "../components/operations/diagnostics";
import { DisabledTools } from "../components/operations/disabledTools";
import { JWKS_CACHE_CLEARING_PODS, JwksCacheClearing } from "../components/operations/jwksCacheClearing";
import { hourlyIn, minutesOf } from "../core/calendar";
import { ASKING_TASKS } from "../core/labels";
import { CACHE_CLEANUP, DATABASE_WINDOW, DEBUG, ZONE_OFFSET_MINUTES } from "../core/numbers";
import { type ResolvedStack } from "../config/resolve";
import { type Data } from "./data";
import { type PlatformContext } from "./platform";

/** Maximum number of pods at the same time. Operations on demand always have their share. */
export function operationsPods({ cache, backups }: ResolvedStack): PodResources[] {
    return [
        ...(backups?.dumps === undefined ? [] : MAINTENANCE_PODS),
        ...(cache === undefined ? [] : CLEANUP_PODS),
        ...DIAGNOSTICS_PODS,
        ...JWKS_CACHE_CLEARING_PODS,
    ];
}

/** Declares operations that run on demand, and their scheduled runs. Sections 4.3, 5.3, 6.3. */
export function declareOperations(context: PlatformContext, data: Data): void {
    const { stack, providers, labels, namespace } = context;
    const { kubernetes, nodeImage, cache } = stack;
    const { diagnostics, clearJwksCache, disabledTools } = stack.operations;
    const opts = { providers: { kubernetes: providers.kubernetes } };
    const common = { namespace: namespace.namespace, labels };
    const inServer = {
        ...common,
        namespaceName: stack.name,
        apiServer: kubernetes.apiServer,
        app: DEBUG.app,
    };
    declareDatabaseMaintenance(context, data);
    if (cache !== undefined && data.cache !== undefined) {
        new CacheCleanup(
            "mcp-cache-cleanup",
            {
                ...common,
                cache: data.cache.connection,
                network: kubernetes.vpc,
                schedule: CACHE_CLEANUP.schedule,
                run: cache.cleanup,
                nodeImage,
            },
            opts,
        );
    }
    if (diagnostics !== undefined) {
        new Diagnostics(
            ASKING_TASKS.diagnostics,
            {
                ...inServer,
                ...diagnostics,
                jwksStatus: DEBUG.jwksStatus,
                stores: { database: data.database?.connection, cache: data.cache?.connection },
                network: kubernetes.vpc,
            },
            opts,
        );
    }
    if (clearJwksCache !== undefined) {
        new JwksCacheClearing(
            ASKING_TASKS.jwksCache,
            { ...inServer, ...clearJwksCache, path: DEBUG.clearJwksCache, nodeImage },
            opts,
        );
    }
    if (disabledTools !== undefined) {
        new DisabledTools("mcp-tools", { ...disabledTools, platform: namespace });
    }
}

/** The maintenance of the database, if the stack has one and a bucket for its dump. Sections 5.1 and 5.2. */
function declareDatabaseMaintenance(
    { stack, providers, labels, namespace }: PlatformContext,
    { database, backups: bucket }: Data,
): void {
    const dumps = stack.backups?.dumps;
    if (database === undefined || dumps === undefined || bucket === undefined) {
        return;
    }
    const { aws, kubernetes } = providers;
    const { tables, minimumSize, scratch, maintenance, tasks } = dumps;
    new DatabaseMaintenance(
        "mcp-db-maintenance",
        {
            ...tasks,
            namespace: namespace.namespace,
            labels,
            connection: database.connection,
            bucket,
            tables,
            minimumSize,
            scratch,
            window: { ...DATABASE_WINDOW, open: dumps.quiet, offsetMinutes: ZONE_OFFSET_MINUTES },
            deadlineSeconds: minutesOf(DATABASE_WINDOW) * 60,
            schedule: hourlyIn(DATABASE_WINDOW),
            metrics: stack.metrics,
            run: maintenance,
        },
        { providers: { aws, kubernetes } },
    );
}
