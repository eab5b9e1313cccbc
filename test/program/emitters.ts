import { type RecordedResource, type Recording } from "../../offline/record";
import { metricsOf, parseHealthPlan } from "../../jobs/health";
import { type Probe } from "../../jobs/lib/probes";
import { isObject, type Property } from "../../offline/property";

/**
 * When a metric has values. `count`: what happens is counted, and where nothing happens there may be none. `level`:
 * measured all the time. `passing`: measured while something passes by, and not otherwise. `life`: said of itself or
 * of another by something that runs all the time.
 */
export type Kind = "count" | "level" | "passing" | "life";

/** One source of metrics, and the exact dimensions that each of them has. */
export interface Emitter {
    namespace: string;
    /** What a metric of that name is; undefined for one that it does not emit. */
    kindOf: (metric: string) => Kind | undefined;
    dimensions: Readonly<Record<string, string>>;
}

/** Of a source whose metrics are known by name. */
const named =
    (metrics: Readonly<Record<string, Kind>>): Emitter["kindOf"] =>
    (metric) =>
        metrics[metric];

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
 * Metrics that AWS publishes for the program's types: those that an alarm may use. Metrics that are missing here count
 * as unpublished.
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
    "aws:cloudwatch/logGroup:LogGroup": [
        {
            namespace: "AWS/Logs",
            metrics: { IncomingLogEvents: "count" },
            dimensions: ({ name }) => [{ LogGroupName: text(name) }],
            source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html",
        },
    ],
    "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter": [
        {
            namespace: "AWS/Logs",
            metrics: { DeliveryErrors: "count", DeliveryThrottling: "count", ForwardedLogEvents: "count" },
            dimensions: ({ name, logGroup }) => [
                { LogGroupName: text(logGroup), DestinationType: "Firehose", FilterName: text(name) },
            ],
            source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html",
        },
    ],
    "aws:backup/vault:Vault": [
        {
            namespace: "AWS/Backup",
            metrics: { NumberOfBackupJobsCompleted: "count", NumberOfBackupJobsFailed: "count" },
            dimensions: ({ name }) => [{ BackupVaultName: text(name) }],
            source: "https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html",
        },
    ],
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": [
        {
            namespace: "AWS/S3",
            metrics: { OperationsFailedReplication: "count", ReplicationLatency: "passing" },
            dimensions: ({ bucket, rules }) =>
                (rules as { id: string; destination: { bucket: string } }[]).map(({ id, destination }) => ({
                    SourceBucket: text(bucket),
                    DestinationBucket: destination.bucket.replace("arn:aws:s3:::", ""),
                    RuleId: id,
                })),
            source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html",
        },
    ],
    "aws:route53/healthCheck:HealthCheck": [
        {
            // Published by the state machine that reads what it sees, under the name in its tag.
            namespace: "MCP/production",
            metrics: { Reachable: "level" },
            dimensions: ({ tags }) => [{ Component: text((tags as Record<string, string>)["Component"]) }],
            source: "components/observability/outsideMachine.ts",
        },
    ],
    "aws:cloudwatch/eventRule:EventRule": [
        {
            namespace: "AWS/Events",
            metrics: { FailedInvocations: "count", TriggeredRules: "count" },
            dimensions: ({ name }) => [{ RuleName: text(name) }],
            source: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html",
        },
    ],
    "aws:sns/topic:Topic": [
        {
            namespace: "AWS/SNS",
            metrics: { NumberOfNotificationsFailed: "count" },
            dimensions: ({ name }) => [{ TopicName: text(name) }],
            source: "https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html",
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
            kindOf: named({ [text(name)]: to["defaultValue"] === "0" ? "count" : "passing" }),
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
    const nodes: Emitter = {
        namespace: "ContainerInsights",
        kindOf: named({ cluster_failed_node_count: "level" }),
        dimensions: { ClusterName: text(clusterName) },
    };
    const pods = resources.flatMap(({ type: kind, inputs: { metadata } }) => {
        if (kind !== "kubernetes:apps/v1:Deployment" || !isObject(metadata)) {
            return [];
        }
        return [
            {
                namespace: "ContainerInsights",
                kindOf: named({
                    pod_cpu_utilization_over_pod_limit: "level",
                    pod_memory_utilization_over_pod_limit: "level",
                    pod_number_of_container_restarts: "count",
                    pod_status_running: "level",
                }),
                dimensions: {
                    ClusterName: text(clusterName),
                    Namespace: text(metadata["namespace"]),
                    PodName: text(metadata["name"]),
                },
            },
        ];
    });
    return [nodes, ...pods];
}

/** What the health check publishes: its own program says so, of the plan that it is given. */
function healthMetrics({ type, inputs }: RecordedResource): Emitter[] {
    const data = inputs["data"];
    if (type !== "kubernetes:core/v1:ConfigMap" || !isObject(data) || data["health.js"] === undefined) {
        return [];
    }
    const { namespace, probes, idleConnections, credentials } = parseHealthPlan(
        JSON.parse(text(data["probe.json"])),
    );
    const kinds: Readonly<Record<string, Kind>> = {
        Healthy: "level",
        LatencyMilliseconds: "passing",
        CertificateDays: "level",
        IdleConnections: "level",
        CredentialDays: "level",
    };
    // What is to be read must be written by a step of the same task.
    const counted = idleConnections !== undefined && data["health.sh"] !== undefined;
    const told = ({ kind }: Probe) =>
        kind === "postgres"
            ? data["health.sh"] !== undefined
            : kind !== "outside" || data["outside.sh"] !== undefined;
    const rows = probes.filter(told).map(({ name, kind }) => ({
        name,
        healthy: true,
        words: "",
        ...(kind !== "outside" && { milliseconds: 1 }),
        // Only who is asked for a certificate has one.
        ...(kind === "certificate" && { certificateDays: 1 }),
    }));
    return metricsOf(rows, {
        ...(counted && { idleConnections: 1 }),
        ...(credentials && { credentialDays: 1 }),
    }).map(({ name, component }) => ({
        namespace,
        kindOf: named({ [name]: kinds[name]! }),
        dimensions: { Component: component },
    }));
}

/** The heartbeats of a CronJob's steps, by script and environment. */
function taskMetrics({ type, inputs }: RecordedResource): Emitter[] {
    if (type !== "kubernetes:batch/v1:CronJob") {
        return [];
    }
    const { spec } = inputs as unknown as CronJobInputs;
    return spec.jobTemplate.spec.template.spec.containers.flatMap(({ command, env }) => {
        const told = Object.fromEntries(env.map(({ name, value }) => [name, value]));
        const { METRICS, KIND, TASK } = told;
        const runs = (script: string) => command.at(-1)?.endsWith(`/${script}`);
        const heartbeat = (metric: string, dimensions: Record<string, string>): Emitter[] =>
            METRICS === undefined
                ? []
                : [{ namespace: METRICS, kindOf: named({ [metric]: "count" }), dimensions }];
        return [
            ...(runs("upload.sh") && KIND !== undefined ? heartbeat("DumpSucceeded", { Kind: KIND }) : []),
            ...(runs("succeeded.sh") && TASK !== undefined ? heartbeat("TaskSucceeded", { Task: TASK }) : []),
        ];
    });
}

interface CronJobInputs {
    spec: {
        jobTemplate: {
            spec: {
                template: {
                    spec: {
                        containers: { command: string[]; env: { name: string; value?: string }[] }[];
                    };
                };
            };
        };
    };
}

/**
 * Metrics that the collector passes on for each scraped service, whose names the application defines. By Prometheus's
 * conventions, a name with one of these suffixes is a counter, and one of durations is measured for requests; any other
 * is a level, sent at every scrape, so that it is a sign of life.
 */
function collectedMetrics({ type, inputs }: RecordedResource): Emitter[] {
    const data = inputs["data"];
    if (type !== "kubernetes:core/v1:ConfigMap" || !isObject(data) || data["collector.yaml"] === undefined) {
        return [];
    }
    const { receivers, exporters } = JSON.parse(text(data["collector.yaml"])) as CollectorInputs;
    const { namespace, metric_declarations: declarations } = exporters.awsemf;
    return receivers.prometheus.config.scrape_configs.flatMap(
        ({ relabel_configs: labels, metric_relabel_configs: [keep] }) =>
            declarations.flatMap(({ dimensions: [names], metric_name_selectors: selectors }) => ({
                namespace,
                kindOf: (metric: string) =>
                    new RegExp(`^(?:${keep.regex})$`).test(metric) &&
                    selectors.some((selector) => new RegExp(selector).test(metric))
                        ? /_(total|count|sum|bucket)$/.test(metric)
                            ? "count"
                            : /duration/.test(metric)
                              ? "passing"
                              : "life"
                        : undefined,
                dimensions: Object.fromEntries(
                    names.map((name) => [
                        name,
                        text(labels.find(({ target_label: target }) => target === name)?.replacement),
                    ]),
                ),
            })),
    );
}

interface CollectorInputs {
    receivers: {
        prometheus: {
            config: {
                scrape_configs: {
                    relabel_configs: { target_label: string; replacement: string }[];
                    metric_relabel_configs: [{ regex: string }];
                }[];
            };
        };
    };
    exporters: {
        awsemf: {
            namespace: string;
            metric_declarations: { dimensions: [string[]]; metric_name_selectors: string[] }[];
        };
    };
}

/** Everything that publishes metrics once a recorded stack runs. */
export function emittersOf({ resources }: Recording): Emitter[] {
    const account = accountOf(resources);
    return resources.flatMap((resource) => [
        ...(PUBLISHED[resource.type] ?? []).flatMap(({ namespace, metrics, dimensions }) =>
            dimensions(resource.inputs, account).map((set) => ({
                namespace,
                kindOf: named(metrics),
                dimensions: set,
            })),
        ),
        ...logMetrics(resource),
        ...podMetrics(resource, resources),
        ...healthMetrics(resource),
        ...taskMetrics(resource),
        ...collectedMetrics(resource),
    ]);
}

function accountOf(resources: Recording["resources"]): Account {
    const { inputs } = resources.find(({ type }) => type === "pulumi:providers:aws")!;
    const [accountId] = JSON.parse(text(inputs["allowedAccountIds"])) as string[];
    return { region: text(inputs["region"]), accountId: accountId! };
}
