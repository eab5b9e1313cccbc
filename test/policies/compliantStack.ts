import { edited } from "./edit";
import { type Properties } from "../../policies/unknown";

const metadata = (name: string) => ({
    name,
    namespace: "mcp",
    labels: { app: "mcp-server", "mcp.msil.com/environment": "production" },
});
export const selector = { matchLabels: { app: "mcp-server" } };
export const REGISTRY = "111111111111.dkr.ecr.ap-south-1.amazonaws.com";
export const IMAGE = `${REGISTRY}/mcp-server:v1`;
export const DIGEST = `sha256:${"a".repeat(64)}`;
export const policy = (...statements: object[]) =>
    JSON.stringify({ Version: "2012-10-17", Statement: statements });
export const TOPIC_ARN = "arn:aws:sns:ap-south-1:111111111111:p1";
export const PLAINTEXT = {
    Effect: "Deny",
    Principal: "*",
    Action: "sns:Publish",
    Resource: TOPIC_ARN,
    Condition: { Bool: { "aws:SecureTransport": "false" } },
};
const KEY_ARN = "arn:aws:kms:ap-south-1:111111111111:key/1";
const MACHINE_ARN = "arn:aws:states:ap-south-1:111111111111:stateMachine:snapshots";
const DATABASE_ARN = "arn:aws:rds:ap-south-1:111111111111:db:mcp-production";
const STREAM_ARN = "arn:aws:firehose:ap-south-1:111111111111:deliverystream/audit";

/** A state machine that takes a snapshot of a group, and copies it to a bucket. */
export const machine = (group = "mcp-production", target = "mcp-redis") =>
    JSON.stringify({
        StartAt: "Take",
        States: {
            Take: {
                Resource: "arn:aws:states:::aws-sdk:elasticache:createSnapshot",
                Arguments: { ReplicationGroupId: group },
            },
            Copy: {
                Resource: "arn:aws:states:::aws-sdk:elasticache:copySnapshot",
                Arguments: { TargetBucket: target },
            },
        },
    });

/** What counts events of a log. */
const filter = (name: string): Sound => ({
    type: "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    props: { metricTransformation: { namespace: "MCP/production", name } },
});

/** A backup plan of one rule, and what it saves. */
function plan(kind: string, rule: Properties): Record<string, Sound> {
    return {
        [`${kind}Plan`]: {
            type: "aws:backup/plan:Plan",
            props: {
                id: kind,
                rules: [{ ruleName: kind, scheduleExpressionTimezone: "Asia/Kolkata", ...rule }],
            },
        },
        [`${kind}Selection`]: {
            type: "aws:backup/selection:Selection",
            props: { planId: kind, resources: [DATABASE_ARN] },
        },
    };
}

interface Kept {
    prefix: string;
    days?: number;
    storageClass?: string;
}

/** Denial of a bucket's access without TLS. */
export const unsafe = (name: string) => ({
    ...PLAINTEXT,
    Action: "s3:*",
    Resource: [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`],
});

/** A bucket with all its settings as separate resources. */
function bucket(key: string, name: string, kept: readonly Kept[]): Record<string, Sound> {
    const part = (kind: string, props: Properties): Sound => ({
        type: `aws:s3/bucket${kind}:Bucket${kind}`,
        props: { bucket: name, ...props },
    });
    const encryption = { sseAlgorithm: "aws:kms", kmsMasterKeyId: KEY_ARN };
    return {
        [key]: { type: "aws:s3/bucket:Bucket", props: { bucket: name, forceDestroy: false } },
        [`${key}Block`]: part("PublicAccessBlock", {
            blockPublicAcls: true,
            blockPublicPolicy: true,
            ignorePublicAcls: true,
            restrictPublicBuckets: true,
        }),
        [`${key}Versioning`]: part("Versioning", { versioningConfiguration: { status: "Enabled" } }),
        [`${key}Encryption`]: part("ServerSideEncryptionConfiguration", {
            rules: [{ applyServerSideEncryptionByDefault: encryption }],
        }),
        [`${key}Policy`]: part("Policy", { policy: policy(unsafe(name)) }),
        [`${key}Lifecycle`]: part("LifecycleConfiguration", {
            rules: kept.map(({ prefix, days, storageClass }) => ({
                id: prefix || "all",
                status: "Enabled",
                filter: { prefix },
                ...(days === undefined ? {} : { expiration: { days } }),
                transitions: storageClass === undefined ? [] : [{ days: 1, storageClass }],
            })),
        }),
    };
}

export const SERVICE_ACCOUNT = { "aws:RequestTag/kubernetes-service-account": "mcp-server" };

const pod = (name: string) => ({
    metadata: { labels: metadata(name).labels },
    spec: {
        automountServiceAccountToken: false,
        serviceAccountName: "mcp-server",
        securityContext: {
            runAsNonRoot: true,
            runAsUser: 10_001,
            runAsGroup: 10_001,
            seccompProfile: { type: "RuntimeDefault" },
        },
        topologySpreadConstraints: [{ topologyKey: "topology.kubernetes.io/zone", labelSelector: selector }],
        containers: [
            {
                name: "mcp-server",
                image: `${IMAGE}@${DIGEST}`,
                ports: [{ name: "http", containerPort: 8000 }],
                env: [{ name: "DB_PASSWORD_FILE", value: "/run/secrets/mcp/DB_PASSWORD" }],
                envFrom: [{ configMapRef: { name: "config" } }],
                livenessProbe: { httpGet: { path: "/health", port: "http" } },
                readinessProbe: { httpGet: { path: "/ready", port: 8000 } },
                resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } },
                securityContext: {
                    allowPrivilegeEscalation: false,
                    readOnlyRootFilesystem: true,
                    capabilities: { drop: ["ALL"] },
                },
            },
        ],
        volumes: [{ name: "tmp", emptyDir: {} }],
    },
});

/** A resource of the stack; `from` names the resources that a property of it is made of. */
export interface Sound {
    type: string;
    props: Properties;
    customTimeouts?: object;
    protect?: boolean;
    /** Tier that the provider tags it with. Default: none, as in production. */
    tier?: string;
    from?: Record<string, string[]>;
}

/** A CronJob. */
function cron(name: string, schedule: string, env: readonly object[] = []): Sound {
    const template = edited(pod(name), "spec restartPolicy", "Never");
    return {
        type: "kubernetes:batch/v1:CronJob",
        props: {
            metadata: metadata(name),
            spec: {
                schedule,
                timeZone: "Asia/Kolkata",
                startingDeadlineSeconds: 300,
                concurrencyPolicy: "Forbid",
                successfulJobsHistoryLimit: 3,
                failedJobsHistoryLimit: 3,
                jobTemplate: {
                    spec: {
                        activeDeadlineSeconds: 60,
                        template: edited(template, "spec containers 0 env", env),
                    },
                },
            },
        },
    };
}

/** A CronJob that puts something below a prefix of the backup bucket; `secrets` are what it is made of. */
function uploader(kind: string, schedule: string, secrets: string[] = []): Sound {
    const env = Object.entries({ BUCKET: "mcp-backups", KIND: kind });
    return {
        ...cron(
            kind,
            schedule,
            env.map(([name, value]) => ({ name, value })),
        ),
        from: { metadata: [], spec: secrets },
    };
}

/** A stack that satisfies every rule; the cases change one thing in it. */
export const SOUND: Record<string, Sound> = {
    namespace: {
        type: "kubernetes:core/v1:Namespace",
        props: {
            metadata: { ...metadata("mcp"), annotations: { "mcp.msil.com/registries": REGISTRY } },
        },
    },
    deployment: {
        type: "kubernetes:apps/v1:Deployment",
        props: {
            metadata: metadata("mcp-server"),
            spec: {
                strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } },
                progressDeadlineSeconds: 300,
                template: pod("mcp-server"),
            },
        },
        customTimeouts: { create: "300s", update: "300s" },
    },
    job: {
        type: "kubernetes:batch/v1:Job",
        props: {
            metadata: metadata("job"),
            spec: { backoffLimit: 0, activeDeadlineSeconds: 60, template: pod("job") },
        },
    },
    cron: cron("cron", "0 2 * * *"),
    dailyDump: uploader("daily", "0 23 * * *", ["databaseSecret"]),
    weeklyDump: uploader("weekly", "0 21 * * 0", ["databaseSecret"]),
    export: uploader("kubernetes", "30 22 * * *"),
    service: {
        type: "kubernetes:core/v1:Service",
        props: {
            metadata: metadata("mcp-server"),
            spec: { type: "ClusterIP", selector: { app: "mcp-server" } },
        },
    },
    autoscaler: {
        type: "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
        props: {
            metadata: metadata("mcp-server"),
            spec: {
                minReplicas: 2,
                maxReplicas: 4,
                scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "mcp-server" },
            },
        },
    },
    budget: {
        type: "kubernetes:policy/v1:PodDisruptionBudget",
        props: {
            metadata: metadata("mcp-server"),
            spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow", selector },
        },
    },
    network: {
        type: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        props: {
            metadata: metadata("mcp-server"),
            spec: { podSelector: selector, policyTypes: ["Ingress", "Egress"] },
        },
    },
    ingress: {
        type: "kubernetes:networking.k8s.io/v1:Ingress",
        props: {
            metadata: {
                ...metadata("ingress"),
                annotations: { "mcp.msil.com/certificate-not-after": "2027-11-30T12:00:00Z" },
            },
            spec: {
                tls: [{ hosts: ["mcp.msil.com", "*.mcp.msil.com"], secretName: "mcp-tls" }],
                rules: [{ host: "mcp.msil.com" }, { host: "admin.mcp.msil.com" }],
            },
        },
    },
    topic: {
        type: "aws:sns/topic:Topic",
        props: {
            arn: TOPIC_ARN,
            kmsMasterKeyId: KEY_ARN,
            tags: { severity: "P1", "response-minutes": "15" },
        },
    },
    topicPolicy: {
        type: "aws:sns/topicPolicy:TopicPolicy",
        props: {
            arn: TOPIC_ARN,
            policy: policy(PLAINTEXT, {
                Effect: "Allow",
                Principal: "*",
                Action: "sns:Publish",
                Resource: TOPIC_ARN,
                Condition: { StringEquals: { "aws:SourceAccount": "111111111111" } },
            }),
        },
    },
    target: {
        type: "aws:cloudwatch/eventTarget:EventTarget",
        props: {
            arn: TOPIC_ARN,
            roleArn: "arn:aws:iam::111111111111:role/notice",
            inputTransformer: {
                inputPaths: { status: "$.detail.status", error: "$.detail.error" },
                inputTemplate: '"A run ended as <status>: <error>"',
            },
        },
    },
    subscription: {
        type: "aws:sns/topicSubscription:TopicSubscription",
        props: { topic: TOPIC_ARN, protocol: "email", endpoint: "oncall@example.com" },
    },
    key: {
        type: "aws:kms/key:Key",
        props: {
            enableKeyRotation: true,
            deletionWindowInDays: 30,
            policy: policy(
                {
                    Effect: "Allow",
                    Principal: { AWS: "arn:aws:iam::111111111111:root" },
                    Action: "kms:*",
                    Resource: "*",
                },
                {
                    Effect: "Allow",
                    Principal: { AWS: "*" },
                    Action: "kms:Decrypt",
                    Resource: "*",
                    Condition: { StringEquals: { "kms:CallerAccount": "111111111111" } },
                },
            ),
        },
    },
    role: {
        type: "aws:iam/role:Role",
        props: {
            assumeRolePolicy: policy({
                Effect: "Allow",
                Principal: { Service: "pods.eks.amazonaws.com" },
                Action: ["sts:AssumeRole", "sts:TagSession"],
                Condition: { StringEquals: SERVICE_ACCOUNT },
            }),
        },
    },
    cluster: {
        type: "aws:eks/cluster:Cluster",
        props: {
            vpcConfig: { endpointPrivateAccess: true, endpointPublicAccess: false },
            enabledClusterLogTypes: ["api", "audit", "authenticator", "controllerManager", "scheduler"],
            encryptionConfig: { resources: ["secrets"], provider: { keyArn: KEY_ARN } },
        },
    },
    kubernetesRole: {
        type: "kubernetes:rbac.authorization.k8s.io/v1:Role",
        props: {
            metadata: metadata("gate"),
            rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] }],
        },
    },
    binding: {
        type: "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
        props: {
            metadata: metadata("gate"),
            roleRef: { kind: "Role", name: "gate" },
            subjects: [{ kind: "ServiceAccount", name: "gate", namespace: "mcp" }],
        },
    },
    securityGroup: {
        type: "aws:ec2/securityGroup:SecurityGroup",
        props: { ingress: [{ protocol: "tcp", fromPort: 5432, toPort: 5432, cidrBlocks: ["10.0.0.0/8"] }] },
    },
    database: {
        type: "aws:rds/instance:Instance",
        protect: true,
        props: {
            arn: DATABASE_ARN,
            identifier: "mcp-production",
            storageEncrypted: true,
            publiclyAccessible: false,
            multiAz: true,
            deletionProtection: true,
            enabledCloudwatchLogsExports: ["postgresql", "upgrade"],
            maintenanceWindow: "sat:20:30-sat:22:30",
            backupWindow: "23:30-00:30",
            parameterGroupName: "mcp-17",
        },
    },
    parameters: {
        type: "aws:rds/parameterGroup:ParameterGroup",
        props: {
            name: "mcp-17",
            parameters: [
                { name: "rds.force_ssl", value: "1" },
                { name: "log_min_duration_statement", value: "1000" },
            ],
        },
    },
    redis: {
        type: "aws:elasticache/replicationGroup:ReplicationGroup",
        props: {
            replicationGroupId: "mcp-production",
            atRestEncryptionEnabled: true,
            transitEncryptionEnabled: true,
            transitEncryptionMode: "required",
            authToken: "hunter2",
            multiAzEnabled: true,
            automaticFailoverEnabled: true,
        },
    },
    snapshots: {
        type: "aws:sfn/stateMachine:StateMachine",
        props: {
            arn: MACHINE_ARN,
            definition: machine(),
            loggingConfiguration: { level: "ALL" },
            tracingConfiguration: { enabled: true },
        },
    },
    schedule: {
        type: "aws:scheduler/schedule:Schedule",
        props: {
            scheduleExpression: "cron(0 0/6 * * ? *)",
            scheduleExpressionTimezone: "Asia/Kolkata",
            kmsKeyArn: KEY_ARN,
            target: { arn: MACHINE_ARN },
        },
    },
    ...bucket("redisBucket", "mcp-redis", [{ prefix: "", days: 7 }]),
    ...bucket("backups", "mcp-backups", [
        { prefix: "daily/", days: 30 },
        { prefix: "weekly/", days: 365, storageClass: "GLACIER" },
        { prefix: "kubernetes/", days: 90 },
    ]),
    ...bucket("archive", "mcp-audit", [{ prefix: "" }]),
    archiveLock: {
        type: "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        props: { bucket: "mcp-audit", rule: { defaultRetention: { mode: "COMPLIANCE", years: 7 } } },
    },
    auditLog: {
        type: "aws:cloudwatch/logGroup:LogGroup",
        props: { name: "/mcp/production/audit", retentionInDays: 365, kmsKeyId: KEY_ARN },
    },
    serverLog: {
        type: "aws:cloudwatch/logGroup:LogGroup",
        props: { name: "/mcp/production/server", retentionInDays: 365, kmsKeyId: KEY_ARN },
    },
    auditSubscription: {
        type: "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter",
        props: { logGroup: "/mcp/production/audit", destinationArn: STREAM_ARN },
    },
    auditStream: {
        type: "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
        props: { arn: STREAM_ARN, extendedS3Configuration: { bucketArn: "arn:aws:s3:::mcp-audit" } },
    },
    alarm: {
        type: "aws:cloudwatch/metricAlarm:MetricAlarm",
        props: {
            name: "error-rate",
            comparisonOperator: "GreaterThanThreshold",
            threshold: 5,
            metricQueries: [
                { expression: "IF(requests >= 20, 100 * errors / requests, 0)" },
                { metric: { namespace: "MCP/production", metricName: "Errors" } },
                { metric: { namespace: "MCP/production", metricName: "Requests" } },
            ],
            alarmActions: [TOPIC_ARN],
            tags: { severity: "P1", "response-minutes": "15" },
        },
    },
    vault: { type: "aws:backup/vault:Vault", props: { kmsKeyArn: KEY_ARN } },
    errors: filter("Errors"),
    requests: filter("Requests"),
    ...plan("hourly", { schedule: "cron(0 * ? * * *)", startWindow: 60, lifecycle: { deleteAfter: 1 } }),
    ...plan("daily", { schedule: "cron(0 1 ? * * *)", lifecycle: { deleteAfter: 30 } }),
    databaseSecret: {
        type: "kubernetes:core/v1:Secret",
        props: { metadata: metadata("mcp-db-secret") },
        from: { metadata: [], stringData: ["database"] },
    },
    rolePolicy: {
        type: "aws:iam/rolePolicy:RolePolicy",
        props: {
            policy: policy(
                { Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::bucket/*"] },
                {
                    Effect: "Allow",
                    Action: "logs:PutLogEvents",
                    Resource: "arn:aws:logs:ap-south-1:111111111111:log-group:/mcp:*",
                },
                { Effect: "Deny", Action: "*", Resource: "*" },
            ),
        },
    },
};

/** Changes by path, and what the rule must find then: `resource: message`, with a question mark for undetermined. */
export type Case = [changes: Record<string, unknown>, findings?: string[]];
