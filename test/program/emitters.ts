import { type RecordedResource, type Recording } from "../../offline/record";
import { metricsOf, parseHealthPlan } from "../../jobs/health";
import { isObject, type Property } from "../../offline/property";

/**
 * When a metric has values. `count`: what happens is counted, and where nothing happens there may be none. `level`:
 * measured all the time. `passing`: measured while something passes by, and not otherwise. `life`: said of itself or
 * of another by something that runs all the time.
 */
export type Kind = "count" | "level" | "passing" | "life";

/** Metrics of one source by name, and the exact dimensions that each of them has. */
export interface Emitter {
    namespace: string;
    metrics: Readonly<Record<string, Kind>>;
    dimensions: Readonly<Record<string, string>>;
}

/** What AWS publishes of a resource by itself. */
interface Published {
    namespace: string;
    metrics: Readonly<Record<string, Kind>>;
    /** Dimensions of each set that is published, from the resource's inputs. */
    dimensions: (inputs: RecordedResource["inputs"], account: Account) => Record<string, string>[];
    /** Where AWS says so. */
    source: string;
}

interface Account {
    region: string;
    accountId: string;
}

const text = (value: Property | undefined) => String(value);

/**
 * Metrics that AWS publishes of the types the program declares, by type: of all there are, those an alarm may use. What
 * is not in here nobody publishes, as far as the tests know.
 */
const PUBLISHED: Readonly<Record<string, readonly Published[]>> = {
    "aws:rds/instance:Instance": [
        {
            namespace: "AWS/RDS",
            metrics: {
                CPUUtilization: "level",
                DatabaseConnections: "level",
                FreeStorageSpace: "level",
                FreeableMemory: "level",
                // Of PostgreSQL alone.
                MaximumUsedTransactionIDs: "level",
            },
            dimensions: ({ identifier }) => [{ DBInstanceIdentifier: text(identifier) }],
            source: "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html",
        },
    ],
    "aws:elasticache/replicationGroup:ReplicationGroup": [
        {
            namespace: "AWS/ElastiCache",
            metrics: {
                CurrConnections: "level",
                DatabaseMemoryUsagePercentage: "level",
                Evictions: "count",
            },
            dimensions: ({ replicationGroupId, numCacheClusters }) =>
                Array.from({ length: Number(numCacheClusters) }, (_, index) => ({
                    CacheClusterId: `${text(replicationGroupId)}-${String(index + 1).padStart(3, "0")}`,
                })),
            source: "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.Redis.html",
        },
    ],
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": [
        {
            namespace: "AWS/Firehose",
            metrics: { "DeliveryToS3.DataFreshness": "passing", "DeliveryToS3.Success": "passing" },
            dimensions: ({ name }) => [{ DeliveryStreamName: text(name) }],
            source: "https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html",
        },
    ],
    "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter": [
        {
            namespace: "AWS/Logs",
            metrics: { DeliveryErrors: "count", DeliveryThrottling: "count" },
            dimensions: ({ name, logGroup }) => [
                { LogGroupName: text(logGroup), DestinationType: "Firehose", FilterName: text(name) },
            ],
            source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html",
        },
    ],
    "aws:sfn/stateMachine:StateMachine": [
        {
            namespace: "AWS/States",
            metrics: {
                ExecutionsAborted: "count",
                ExecutionsFailed: "count",
                ExecutionsSucceeded: "count",
                ExecutionsTimedOut: "count",
            },
            dimensions: ({ name }, { region, accountId }) => [
                { StateMachineArn: `arn:aws:states:${region}:${accountId}:stateMachine:${text(name)}` },
            ],
            source: "https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html",
        },
    ],
};

/** What CloudWatch counts in a log. Only a metric without dimensions is 0 where nothing is found. */
function logMetrics({ type, inputs }: RecordedResource): Emitter[] {
    const to = inputs["metricTransformation"];
    if (type !== "aws:cloudwatch/logMetricFilter:LogMetricFilter" || !isObject(to)) {
        return [];
    }
    const { namespace, name, dimensions = {} } = to;
    return [
        {
            namespace: text(namespace),
            metrics: { [text(name)]: to["defaultValue"] === "0" ? "count" : "passing" },
            dimensions: dimensions as Record<string, string>,
        },
    ];
}

/**
 * What the add-on of Container Insights publishes of each Deployment in its cluster: the dimension sets of
 * https://github.com/aws/amazon-cloudwatch-agent-test (test/metric_value_benchmark/eks_resources).
 */
function podMetrics({ type, inputs }: RecordedResource, resources: Recording["resources"]): Emitter[] {
    const { addonName, clusterName } = inputs;
    if (type !== "aws:eks/addon:Addon" || addonName !== "amazon-cloudwatch-observability") {
        return [];
    }
    return resources.flatMap(({ type: kind, inputs: { metadata } }) => {
        if (kind !== "kubernetes:apps/v1:Deployment" || !isObject(metadata)) {
            return [];
        }
        return [
            {
                namespace: "ContainerInsights",
                metrics: {
                    pod_cpu_utilization_over_pod_limit: "level",
                    pod_memory_utilization_over_pod_limit: "level",
                    pod_number_of_container_restarts: "count",
                    pod_status_running: "level",
                },
                dimensions: {
                    ClusterName: text(clusterName),
                    Namespace: text(metadata["namespace"]),
                    PodName: text(metadata["name"]),
                },
            } as const,
        ];
    });
}

/** What the health check publishes: its own program says so, of the plan that it is given. */
function healthMetrics({ type, inputs }: RecordedResource): Emitter[] {
    const data = inputs["data"];
    if (type !== "kubernetes:core/v1:ConfigMap" || !isObject(data) || data["health.js"] === undefined) {
        return [];
    }
    const { namespace, probes } = parseHealthPlan(JSON.parse(text(data["probe.json"])));
    const kinds: Readonly<Record<string, Kind>> = {
        Healthy: "life",
        LatencyMilliseconds: "passing",
        CertificateDays: "level",
    };
    const rows = probes.map(({ name, kind }) => ({
        name,
        healthy: true,
        words: "",
        milliseconds: 1,
        // Only who is asked for a certificate has one.
        ...(kind === "certificate" && { certificateDays: 1 }),
    }));
    return metricsOf(rows).map(({ name, component }) => ({
        namespace,
        metrics: { [name]: kinds[name]! },
        dimensions: { Component: component },
    }));
}

/** Everything that publishes metrics once a recorded stack runs. */
export function emittersOf({ resources }: Recording): Emitter[] {
    const account = accountOf(resources);
    return resources.flatMap((resource) => [
        ...(PUBLISHED[resource.type] ?? []).flatMap(({ namespace, metrics, dimensions }) =>
            dimensions(resource.inputs, account).map((set) => ({ namespace, metrics, dimensions: set })),
        ),
        ...logMetrics(resource),
        ...podMetrics(resource, resources),
        ...healthMetrics(resource),
    ]);
}

function accountOf(resources: Recording["resources"]): Account {
    const { inputs } = resources.find(({ type }) => type === "pulumi:providers:aws")!;
    const [accountId] = JSON.parse(text(inputs["allowedAccountIds"])) as string[];
    return { region: text(inputs["region"]), accountId: accountId! };
}
