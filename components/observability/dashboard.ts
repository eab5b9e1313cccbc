import { Dashboard } from "@pulumi/aws/cloudwatch/dashboard";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { HIGH_ERROR_RATE_PERCENT } from "../../core/numbers";
import { STATUS_SYMPTOMS } from "../../core/symptoms";
import { queryString, type SavedQuery } from "./savedQueries";

/** Arguments of {@link PlatformDashboard}. */
export interface PlatformDashboardArgs {
    region: string;
    /** Namespace of the platform's own metrics. */
    metrics: string;
    /** EKS cluster, and namespace of the platform's pods. */
    cluster: string;
    namespace: string;
    /** Log group of MCP Server, and the queries to show. */
    serverLog: string;
    queries: readonly SavedQuery[];
    /** Instance of the database in use. Default: none. */
    database?: string | undefined;
    /** Nodes of the cache. Default: none. */
    cacheNodes: readonly string[];
}

/** Columns of a dashboard. */
const COLUMNS = 24;

/** Period of a point of a graph, in seconds. */
const PERIOD = 60;

type Statistic = "Sum" | "Average" | "Maximum" | "Minimum" | "p50" | "p95" | "p99";

/** One line of a graph. */
type Line =
    | {
          namespace: string;
          metric: string;
          dimensions?: Record<string, string>;
          statistic: Statistic;
          label?: string;
          /** Name for use in expressions; the line itself is hidden. */
          id?: string;
      }
    /** Metric maths, or a search for metrics whose names or dimensions the application defines. */
    | { expression: string; label?: string };

interface Graph {
    title: string;
    lines: readonly Line[];
    /** A limit of the runbook, as text and number. */
    limit?: { label: string; value: number };
    /** Percent, or the metric's unit. */
    percent?: boolean;
}

/** A dashboard of the platform: a row for each playbook of section 4.3 and for section 6.3. */
export class PlatformDashboard extends ComponentResource {
    /** URL in the console. */
    public readonly url: string;

    constructor(name: string, args: PlatformDashboardArgs, opts?: ComponentResourceOptions) {
        super("mcp:observability:Dashboard", name, {}, opts);
        new Dashboard(
            name,
            { dashboardName: name, dashboardBody: JSON.stringify({ widgets: widgetsOf(args) }) },
            { parent: this },
        );
        this.url = `${consoleOf(args.region)}#dashboards/dashboard/${name}`;
        this.registerOutputs({ url: this.url });
    }
}

/** CloudWatch in the console. */
export function consoleOf(region: string): string {
    return `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}`;
}

/** The dashboard's widgets. */
function widgetsOf(args: PlatformDashboardArgs): object[] {
    const { region } = args;
    const rows: [title: string, graphs: Graph[]][] = [
        ["Error rate, traffic and tools (4.3.1, 6.1)", trafficGraphs(args)],
        ["Database and its connections (4.3.2, 6.3)", databaseGraphs(args)],
        ["What MCP Server says of itself (6.3)", applicationGraphs(args)],
        ["Memory and CPU (4.3.3, 6.3)", usageGraphs(args)],
        ["Sign-in, backend and the health matrix (2.1, 4.3.4, 6.3)", healthGraphs(args)],
    ];
    const widgets: object[] = [];
    let y = 0;
    const add = (type: string, height: number, x: number, width: number, properties: object) =>
        widgets.push({ type, x, y, width, height, properties });
    for (const [title, graphs] of rows) {
        add("text", 1, 0, COLUMNS, { markdown: `## ${title}` });
        y += 1;
        const width = COLUMNS / graphs.length;
        graphs.forEach((graph, index) =>
            add("metric", 6, index * width, width, graphProperties(graph, region)),
        );
        y += 6;
    }
    for (const query of args.queries) {
        add("log", 6, 0, COLUMNS, {
            title: query.title,
            region,
            view: "table",
            query: `SOURCE '${args.serverLog}' | ${queryString(query)}`,
        });
        y += 6;
    }
    return widgets;
}

function graphProperties({ title, lines, limit, percent }: Graph, region: string): object {
    return {
        title,
        region,
        view: "timeSeries",
        stacked: false,
        period: PERIOD,
        metrics: lines.map(metricOf),
        ...(percent ? { yAxis: { left: { min: 0, max: 100, label: "%", showUnits: false } } } : {}),
        ...(limit === undefined ? {} : { annotations: { horizontal: [limit] } }),
    };
}

function metricOf(line: Line): unknown[] {
    if ("expression" in line) {
        return [line];
    }
    const { namespace, metric, dimensions = {}, statistic, label, id } = line;
    const options = { stat: statistic, ...(label && { label }), ...(id && { id, visible: false }) };
    return [namespace, metric, ...Object.entries(dimensions).flat(), options];
}

function trafficGraphs({ metrics: namespace }: PlatformDashboardArgs): Graph[] {
    const sum = (metric: string, more: { id?: string; label?: string } = {}): Line => ({
        namespace,
        metric,
        statistic: "Sum",
        ...more,
    });
    const share = (part: string, total: string) => `IF(${total}>0, 100*${part}/${total}, 0)`;
    return [
        {
            title: "Requests that failed",
            lines: [
                sum("Requests", { id: "requests" }),
                sum("Errors", { id: "errors" }),
                { expression: share("errors", "requests"), label: "errors" },
            ],
            limit: { label: "high", value: HIGH_ERROR_RATE_PERCENT },
            percent: true,
        },
        {
            title: "Requests, and answers by status",
            lines: [sum("Requests"), ...Object.keys(STATUS_SYMPTOMS).map((status) => sum(`Status${status}`))],
        },
        {
            title: "Tool executions",
            lines: [sum("ToolExecutions"), sum("FailedToolExecutions"), sum("ErrorLines")],
        },
        {
            title: "Circuit breakers",
            lines: [{ expression: `SEARCH('{${namespace},Service} circuit breaker', 'Maximum', ${PERIOD})` }],
        },
    ];
}

function databaseGraphs({ metrics: own, database }: PlatformDashboardArgs): Graph[] {
    const pool = { expression: `SEARCH('{${own},Service} db pool', 'Maximum', ${PERIOD})` };
    const pools: Graph = { title: "Connection pools of the services", lines: [pool] };
    if (database === undefined) {
        return [pools];
    }
    const of = (metric: string, statistic: Statistic): Line => ({
        namespace: "AWS/RDS",
        metric,
        dimensions: { DBInstanceIdentifier: database },
        statistic,
    });
    return [
        pools,
        { title: "Connections", lines: [of("DatabaseConnections", "Maximum")] },
        { title: "Sessions at work", lines: [of("DBLoad", "Average"), of("DBLoadNonCPU", "Average")] },
        {
            title: "Memory and disk that are free",
            lines: [of("FreeableMemory", "Minimum"), of("FreeStorageSpace", "Minimum")],
        },
    ];
}

/** Any metric names that section 6.3 searches for in `/metrics`. */
function applicationGraphs({ metrics: namespace }: PlatformDashboardArgs): Graph[] {
    const search = (words: string, statistic: Statistic): Line => ({
        expression: `SEARCH('{${namespace},Service} ${words}', '${statistic}', ${PERIOD})`,
    });
    return [
        { title: "requests_total", lines: [search("requests total", "Sum")] },
        { title: "request_duration", lines: [search("request duration", "Average")] },
        { title: "error", lines: [search("error", "Sum")] },
    ];
}

function usageGraphs({ cluster, namespace, cacheNodes }: PlatformDashboardArgs): Graph[] {
    const pods = (metric: string): Line => ({
        expression:
            "SEARCH('{ContainerInsights,ClusterName,Namespace,PodName} " +
            `ClusterName="${cluster}" Namespace="${namespace}" MetricName="${metric}"', 'Maximum', ${PERIOD})`,
    });
    return [
        {
            title: "CPU of pods, of their limit",
            lines: [pods("pod_cpu_utilization_over_pod_limit")],
            percent: true,
        },
        {
            title: "Memory of pods, of their limit",
            lines: [pods("pod_memory_utilization_over_pod_limit")],
            percent: true,
        },
        { title: "Restarts of containers", lines: [pods("pod_number_of_container_restarts")] },
        ...(cacheNodes.length === 0
            ? []
            : [
                  {
                      title: "Memory of Redis",
                      lines: cacheNodes.map((node): Line => ({
                          namespace: "AWS/ElastiCache",
                          metric: "DatabaseMemoryUsagePercentage",
                          dimensions: { CacheClusterId: node },
                          statistic: "Maximum",
                      })),
                      percent: true,
                  },
              ]),
    ];
}

function healthGraphs({ metrics: namespace }: PlatformDashboardArgs): Graph[] {
    const probed = (metric: string, statistic: Statistic): Line => ({
        expression: `SEARCH('{${namespace},Component} MetricName="${metric}"', '${statistic}', ${PERIOD})`,
    });
    return [
        {
            title: "Healthy and reachable (1) or not (0)",
            lines: [probed("Healthy", "Minimum"), probed("Reachable", "Minimum")],
        },
        { title: "Time to answer, in milliseconds", lines: [probed("LatencyMilliseconds", "Maximum")] },
        {
            title: "Duration of MCP Server's requests, in milliseconds",
            lines: (["p50", "p95", "p99"] as const).map((statistic) => ({
                namespace,
                metric: "RequestMilliseconds",
                statistic,
                label: statistic,
            })),
        },
    ];
}
