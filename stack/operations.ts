import { CacheCleanup } from "../components/operations/cacheCleanup";
import { DatabaseMaintenance } from "../components/operations/databaseMaintenance";
import { Diagnostics } from "../components/operations/diagnostics";
import { DisabledTools } from "../components/operations/disabledTools";
import { JwksCacheClearing } from "../components/operations/jwksCacheClearing";
import { pinned } from "../config/images";
import { externalProbes } from "../config/joins";
import { adminApiOf } from "../config/tools";
import { dailyCron, minutesOf } from "../core/calendar";
import { ASKING_TASKS } from "../core/labels";
import { CACHE_CLEANUP, DATABASE_WINDOW, DEBUG, ZONE_OFFSET_MINUTES } from "../core/numbers";
import { type Data } from "./data";
import { type PlatformContext } from "./platform";

/** Declares what is done once when a value asks for it, and what of it is done by the clock too. Sections 4.3, 5.3, 6.3. */
export function declareOperations(context: PlatformContext, data: Data): void {
    const { values, providers, labels, namespace } = context;
    const { operations, disabledTools, kubernetes, images, jobs, health, workloads } = values;
    const opts = { providers: { kubernetes: providers.kubernetes } };
    const nodeImage = pinned(images, jobs.images.node);
    const common = { namespace: namespace.namespace, labels };
    const server = workloads[DEBUG.app];
    const inServer = {
        ...common,
        namespaceName: kubernetes.namespace,
        apiServer: kubernetes.apiServer,
        app: DEBUG.app,
    };
    declareDatabaseMaintenance(context, data);
    if (data.cache !== undefined) {
        const { cacheCleanup } = operations;
        new CacheCleanup(
            "mcp-cache-cleanup",
            {
                ...common,
                cache: data.cache.connection,
                network: kubernetes.vpc,
                schedule: CACHE_CLEANUP.schedule,
                run: cacheCleanup && {
                    hash: `${cacheCleanup.run}${cacheCleanup.dryRun ? "-dry" : ""}`,
                    dryRun: cacheCleanup.dryRun,
                },
                nodeImage,
            },
            opts,
        );
    }
    if (operations.diagnostics !== undefined) {
        new Diagnostics(
            ASKING_TASKS.diagnostics,
            {
                ...inServer,
                port: server!.port,
                metrics: server!.health.metrics,
                jwksStatus: DEBUG.jwksStatus,
                probes: externalProbes(health!),
                stores: { database: data.database?.connection, cache: data.cache?.connection },
                network: kubernetes.vpc,
                run: operations.diagnostics,
                images: {
                    node: nodeImage,
                    postgres: jobs.images.postgres && pinned(images, jobs.images.postgres),
                },
            },
            opts,
        );
    }
    if (operations.clearJwksCache !== undefined) {
        new JwksCacheClearing(
            ASKING_TASKS.jwksCache,
            {
                ...inServer,
                port: server!.port,
                path: DEBUG.clearJwksCache,
                run: operations.clearJwksCache,
                nodeImage,
            },
            opts,
        );
    }
    if (disabledTools.length > 0) {
        new DisabledTools("mcp-tools", {
            api: adminApiOf(values)!,
            tools: disabledTools,
            platform: namespace,
        });
    }
}

/** The maintenance of the database, if the stack has one and a bucket to save it in before. Sections 5.1 and 5.2. */
function declareDatabaseMaintenance(
    { values, providers: { aws, kubernetes }, labels, namespace, metrics }: PlatformContext,
    { database, backups: bucket }: Data,
): void {
    const { operations, images, jobs, backups } = values;
    if (database === undefined || backups === undefined || bucket === undefined) {
        return;
    }
    const { tables, minimumSize, scratch } = backups.dumps;
    const run = operations.databaseMaintenance;
    new DatabaseMaintenance(
        "mcp-db-maintenance",
        {
            namespace: namespace.namespace,
            labels,
            cluster: values.kubernetes.cluster!,
            region: values.aws.region,
            network: values.kubernetes.vpc,
            connection: database.connection,
            bucket,
            tables,
            minimumSize,
            scratch,
            window: { ...DATABASE_WINDOW, offsetMinutes: ZONE_OFFSET_MINUTES },
            deadlineSeconds: minutesOf(DATABASE_WINDOW) * 60,
            schedule: dailyCron(DATABASE_WINDOW.start),
            metrics,
            run: run && {
                hash: `${run.run}${run.force === undefined ? "" : "-forced"}`,
                label: run.run,
                force: run.force,
            },
            images: {
                node: pinned(images, jobs.images.node),
                postgres: pinned(images, jobs.images.postgres!),
                aws: pinned(images, jobs.images.aws!),
            },
        },
        { providers: { aws, kubernetes } },
    );
}
