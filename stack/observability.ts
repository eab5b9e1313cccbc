import { consoleOf, PlatformDashboard } from "../components/observability/dashboard";
import { LogAnalysis } from "../components/observability/logAnalysis";
import { LogGroups } from "../components/observability/logGroups";
import { LogShipper } from "../components/observability/logShipper";
import { MetricsCollector } from "../components/observability/metricsCollector";
import { PodMetrics } from "../components/observability/podMetrics";
import { serverQueries } from "../components/observability/savedQueries";
import { databaseNames } from "../config/joins";
import { pinned } from "../config/images";
import { logGroupOf, type ObservabilityValues } from "../config/observability";
import { type Data } from "./data";
import { type PlatformContext } from "./platform";

/** What metrics are made of is kept so many days, to see how; the metrics themselves stay for fifteen months. */
const RAW_METRIC_DAYS = 14;

/** Where people look, in the console of AWS. */
export interface Observability {
    dashboard: string;
    /** Logs Insights; the saved queries are in the folder of the stack's name. */
    queries: string;
}

/** Declares how the platform is seen from outside, if the stack's values ask for it. Sections 4.3, 5.3, 6.2 and 6.3. */
export function declareObservability(context: PlatformContext, data: Data): Observability | undefined {
    const { values, name, providers } = context;
    const { observability } = values;
    if (observability === undefined) {
        return undefined;
    }
    const { groups } = declareLogs(context, data, observability);
    new LogAnalysis(
        `${name}-server`,
        {
            group: groups.server,
            statusField: observability.statusField,
            metrics: metricsOf(context),
            folder: name,
        },
        { providers: { aws: providers.aws } },
    );
    declareMetrics(context, observability, groups);
    return {
        dashboard: declareDashboard(context, observability),
        queries: `${consoleOf(values.aws.region)}#logsV2:logs-insights`,
    };
}

/** Namespace of the platform's own metrics. */
function metricsOf({ values }: PlatformContext): string {
    return `MCP/${values.environment}`;
}

function declareLogs(
    { values, providers, production, name, labels, logDays }: PlatformContext,
    { archive }: Data,
    { retention = logDays, audit }: ObservabilityValues,
) {
    const { aws, kubernetes } = providers;
    const { region, accountId } = values.aws;
    const prefix = `/mcp/${values.environment}/`;
    const workloads = Object.keys(values.workloads);
    const services = Object.fromEntries(workloads.map((workload) => [workload, logGroupOf(workload)]));
    const logs = new LogGroups(
        `${name}-logs`,
        {
            prefix,
            retentionDays: {
                ...Object.fromEntries(Object.values(services).map((group) => [group, retention])),
                jobs: retention,
                metrics: RAW_METRIC_DAYS,
                server: logDays,
            },
            accountId,
            region,
            protect: production,
        },
        { providers: { aws } },
    );
    new LogShipper(
        `${name}-logs`,
        {
            cluster: values.kubernetes.cluster!,
            accountId,
            labels,
            image: pinned(values.images, values.jobs.images.fluentBit!),
            routes: {
                region,
                namespace: values.kubernetes.namespace,
                services: Object.fromEntries(
                    Object.entries(services).map(([workload, group]) => [workload, prefix + group]),
                ),
                jobs: `${prefix}jobs`,
                audit: archive && { ...audit, logGroup: `${prefix}audit` },
            },
            after: [...Object.values(logs.groups), ...(archive === undefined ? [] : [archive])],
        },
        { providers: { aws, kubernetes } },
    );
    return logs;
}

function declareMetrics(
    context: PlatformContext,
    { metrics: { interval, workloads }, podMetrics }: ObservabilityValues,
    { metrics: group }: ReturnType<typeof declareLogs>["groups"],
) {
    const { values, providers, name, labels, namespace } = context;
    const { aws, kubernetes } = providers;
    const { region, accountId } = values.aws;
    const cluster = values.kubernetes.cluster!;
    new MetricsCollector(
        `${name}-metrics`,
        {
            cluster,
            accountId,
            region,
            namespace: namespace.namespace,
            namespaceName: values.kubernetes.namespace,
            labels,
            image: pinned(values.images, values.jobs.images.collector!),
            services: Object.fromEntries(
                workloads.map((workload) => {
                    const { port, health } = values.workloads[workload]!;
                    return [workload, { port, path: health.metrics }];
                }),
            ),
            intervalSeconds: interval,
            metrics: metricsOf(context),
            logGroup: `/mcp/${values.environment}/metrics`,
            after: [group],
        },
        { providers: { aws, kubernetes } },
    );
    if (podMetrics !== false) {
        new PodMetrics(
            `${name}-pods`,
            { cluster, accountId, region, version: podMetrics.version, retentionDays: RAW_METRIC_DAYS },
            { providers: { aws } },
        );
    }
}

/** Returns its address. */
function declareDashboard(context: PlatformContext, { statusField }: ObservabilityValues): string {
    const { values, providers, name } = context;
    const { database, cache, environment } = values;
    const {
        errors,
        "failed-tools": failedTools,
        "slow-requests": slowRequests,
    } = serverQueries({ statusField });
    const { identifier, recovery } = databaseNames(values);
    const nodes = cache === undefined ? 0 : cache.replicas + 1;
    const { url } = new PlatformDashboard(
        name,
        {
            region: values.aws.region,
            metrics: metricsOf(context),
            cluster: values.kubernetes.cluster!,
            namespace: values.kubernetes.namespace,
            serverLog: `/mcp/${environment}/server`,
            queries: [errors, failedTools, slowRequests],
            database: database && (database.active === "recovery" ? recovery : identifier),
            // ElastiCache names the nodes of a group so.
            cacheNodes: Array.from(
                { length: nodes },
                (_, index) => `${name}-${String(index + 1).padStart(3, "0")}`,
            ),
        },
        { providers: { aws: providers.aws } },
    );
    return url;
}
