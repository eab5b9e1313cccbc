import { type PodResources } from "../components/kubernetes/pod";
import { consoleOf, PlatformDashboard } from "../components/observability/dashboard";
import { LogAnalysis } from "../components/observability/logAnalysis";
import { LogGroups } from "../components/observability/logGroups";
import { LogShipper } from "../components/observability/logShipper";
import { COLLECTOR_PODS, MetricsCollector } from "../components/observability/metricsCollector";
import { PodMetrics } from "../components/observability/podMetrics";
import { serverQueries } from "../components/observability/savedQueries";
import { logGroupOf } from "../config/observability";
import { type ResolvedStack } from "../config/resolve";
import { type Data } from "./data";
import { type PlatformContext } from "./platform";

/** Retention of the log events behind the metrics, in days; the metrics themselves stay for fifteen months. */
const RAW_METRIC_DAYS = 14;

/** URLs in the AWS console. */
export interface Observability {
    dashboard: string;
    /** Logs Insights; the saved queries are in the folder with the stack's name. */
    queries: string;
}

type ResolvedObservability = NonNullable<ResolvedStack["observability"]>;

/** Maximum number of pods at the same time. */
export function observabilityPods({ observability }: ResolvedStack): readonly PodResources[] {
    return observability === undefined ? [] : COLLECTOR_PODS;
}

/** Declares logs, metrics and the dashboard, if the stack's values have them. Sections 4.3, 5.3, 6.2 and 6.3. */
export function declareObservability(context: PlatformContext, data: Data): Observability | undefined {
    const { stack, providers } = context;
    const { observability } = stack;
    if (observability === undefined) {
        return undefined;
    }
    const { groups } = declareLogs(context, data, observability);
    new LogAnalysis(
        `${stack.name}-server`,
        {
            group: groups.server,
            statusField: observability.statusField,
            pathField: observability.pathField,
            probePaths: observability.probePaths,
            metrics: stack.metrics,
            folder: stack.name,
        },
        { providers: { aws: providers.aws } },
    );
    declareMetrics(context, observability, groups);
    return {
        dashboard: declareDashboard(context, observability),
        queries: `${consoleOf(stack.aws.region)}#logsV2:logs-insights`,
    };
}

function declareLogs(
    { stack, providers, labels }: PlatformContext,
    { archive }: Data,
    { retention = stack.logDays, audit, cluster, fluentBitImage }: ResolvedObservability,
) {
    const { aws, kubernetes } = providers;
    const { region, accountId } = stack.aws;
    const workloads = Object.keys(stack.workloads);
    const services = Object.fromEntries(workloads.map((workload) => [workload, logGroupOf(workload)]));
    const logs = new LogGroups(
        `${stack.name}-logs`,
        {
            prefix: stack.logs.prefix,
            retentionDays: {
                ...Object.fromEntries(Object.values(services).map((group) => [group, retention])),
                jobs: retention,
                metrics: RAW_METRIC_DAYS,
                server: stack.logDays,
            },
            accountId,
            region,
            protect: stack.production,
        },
        { providers: { aws } },
    );
    new LogShipper(
        `${stack.name}-logs`,
        {
            cluster,
            accountId,
            labels,
            image: fluentBitImage,
            dns: stack.kubernetes.dns,
            routes: {
                region,
                namespace: stack.name,
                services: Object.fromEntries(
                    Object.entries(services).map(([workload, group]) => [
                        workload,
                        `${stack.logs.prefix}${group}`,
                    ]),
                ),
                jobs: stack.logs.jobs,
                audit: archive && { ...audit, logGroup: stack.logs.audit },
            },
            after: [...Object.values(logs.groups), ...(archive === undefined ? [] : [archive])],
        },
        { providers: { aws, kubernetes } },
    );
    return logs;
}

function declareMetrics(
    { stack, providers, labels, namespace }: PlatformContext,
    { metrics: { interval, services }, podMetrics, cluster, collectorImage }: ResolvedObservability,
    { metrics: group }: ReturnType<typeof declareLogs>["groups"],
) {
    const { aws, kubernetes } = providers;
    const { region, accountId } = stack.aws;
    new MetricsCollector(
        `${stack.name}-metrics`,
        {
            cluster,
            accountId,
            region,
            namespace: namespace.namespace,
            namespaceName: stack.name,
            labels,
            priorityClass: namespace.priorityClass,
            image: collectorImage,
            services,
            intervalSeconds: interval,
            metrics: stack.metrics,
            logGroup: stack.logs.metrics,
            after: [group],
        },
        { providers: { aws, kubernetes } },
    );
    if (podMetrics !== false) {
        new PodMetrics(
            `${stack.name}-pods`,
            { cluster, accountId, region, version: podMetrics.version, retentionDays: RAW_METRIC_DAYS },
            { providers: { aws } },
        );
    }
}

/** Returns its URL. */
function declareDashboard(
    { stack, providers }: PlatformContext,
    { statusField, cluster }: ResolvedObservability,
): string {
    const {
        errors,
        "failed-tools": failedTools,
        "slow-requests": slowRequests,
    } = serverQueries({ statusField });
    const { url } = new PlatformDashboard(
        stack.name,
        {
            region: stack.aws.region,
            metrics: stack.metrics,
            cluster,
            namespace: stack.name,
            serverLog: stack.logs.server,
            queries: [errors, failedTools, slowRequests],
            database: stack.database?.inUse,
            cacheNodes: stack.cache?.nodes ?? [],
        },
        { providers: { aws: providers.aws } },
    );
    return url;
}
