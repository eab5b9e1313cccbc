/* A platform as the runbook's commands make it: by hand, with kubectl and the AWS command line. */

export const NAMESPACE = "mcp-production";
export const ACCOUNT = "111122223333";
export const REGION = "ap-south-1";

/** An object as it is given to the API. */
export interface Handmade {
    apiVersion: string;
    kind: string;
    metadata: { name: string; namespace?: string; labels?: Record<string, string> };
    [key: string]: unknown;
}

interface Service {
    name: string;
    image: string;
    port: number;
    replicas: number;
    /** Labels of the pods; they are the selector, too. Default: `app`, as kubectl has it. */
    labels?: Record<string, string>;
}

export const SERVICES: readonly Service[] = [
    { name: "mcp-server", image: "msil-mcp-server:v2.0.9", port: 8000, replicas: 4 },
    { name: "admin-portal", image: "msil-admin-portal:v1.6.0", port: 3001, replicas: 2 },
    { name: "chat-ui", image: "msil-chat-ui:v1.4.0", port: 3000, replicas: 2 },
];

const named = (name: string) => ({ name, namespace: NAMESPACE });

/** `kubectl apply` of a Deployment. Sections 3.2 and 4.3.3. */
export function deployment({ name, image, port, replicas, labels = { app: name } }: Service): Handmade {
    return {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { ...named(name), labels },
        spec: {
            replicas,
            selector: { matchLabels: labels },
            template: {
                metadata: { labels },
                spec: {
                    containers: [
                        {
                            name,
                            image,
                            ports: [{ containerPort: port }],
                            env: [{ name: "LOG_LEVEL", value: "info" }],
                            readinessProbe: { httpGet: { path: "/", port }, periodSeconds: 1 },
                        },
                    ],
                },
            },
        },
    };
}

/** `kubectl expose deployment`. */
export function service({ name, port, labels = { app: name } }: Service): Handmade {
    return {
        apiVersion: "v1",
        kind: "Service",
        metadata: { ...named(name), labels },
        spec: { selector: labels, ports: [{ port, protocol: "TCP", targetPort: port }] },
    };
}

/** `kubectl autoscale deployment`. Section 4.3.3 step 4. */
export function autoscaler(name: string, min: number, max: number): Handmade {
    return {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: named(name),
        spec: {
            scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
            minReplicas: min,
            maxReplicas: max,
            metrics: [
                {
                    type: "Resource",
                    resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
                },
            ],
        },
    };
}

/** `kubectl create ingress`. Section 5.4 step 3. */
export function ingress(): Handmade {
    const rule = (host: string, name: string, number: number) => ({
        host,
        http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name, port: { number } } } }],
        },
    });
    return {
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: named("mcp-ingress"),
        spec: {
            ingressClassName: "traefik",
            tls: [{ hosts: ["mcp.msil.com", "admin.mcp.msil.com"], secretName: "mcp-tls" }],
            rules: [rule("mcp.msil.com", "chat-ui", 3000), rule("admin.mcp.msil.com", "admin-portal", 3001)],
        },
    };
}

/** `kubectl create secret`. Sections 5.4 step 2 and 7.2 step 5. */
export function secret(name: string, type: string, data: Record<string, string>): Handmade {
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
    return {
        apiVersion: "v1",
        kind: "Secret",
        metadata: named(name),
        type,
        data: Object.fromEntries(encoded) as object,
    };
}

/** Everything in the namespace, and the namespace itself, in the order in which it can be made. */
export function handmadeObjects(services = SERVICES): Handmade[] {
    return [
        { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
        secret("mcp-tls", "kubernetes.io/tls", {
            "tls.crt": "planted certificate",
            "tls.key": "planted key",
        }),
        secret("mcp-db-secret", "Opaque", { url: "postgresql://mcp:planted@host:5432/mcp" }),
        ...services.flatMap((each) => [deployment(each), service(each)]),
        autoscaler("mcp-server", 4, 10),
        autoscaler("chat-ui", 2, 8),
        ingress(),
    ];
}

/** Objects as `kubectl get --show-managed-fields -o json` lists them, all made by one manager. */
export function listed(objects: readonly Handmade[], manager = "kubectl-client-side-apply"): object {
    return { apiVersion: "v1", kind: "List", items: objects.map((object) => managed(object, manager)) };
}

function managed(object: Handmade, manager: string): object {
    const { apiVersion, kind, metadata, ...fields } = object;
    const entry = { manager, operation: "Update", apiVersion, fieldsV1: fieldsOf(fields) };
    const given =
        kind === "Service" ? { spec: { clusterIP: "10.0.0.1", ...(fields["spec"] as object) } } : {};
    return { apiVersion, kind, metadata: { ...metadata, managedFields: [entry] }, ...fields, ...given };
}

/** Keys by which the API merges the items of a list; items of other lists are one field. */
const MERGED_BY: Readonly<Record<string, readonly string[]>> = {
    containers: ["name"],
    env: ["name"],
    ports: ["containerPort", "port", "protocol"],
};

function fieldsOf(value: object): Record<string, unknown> {
    return Object.fromEntries(
        Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
            if (Array.isArray(inner)) {
                const keys = MERGED_BY[key];
                const items = keys === undefined ? [] : (inner as Record<string, unknown>[]);
                const of = (item: Record<string, unknown>) =>
                    JSON.stringify(
                        Object.fromEntries(
                            keys!.filter((each) => each in item).map((each) => [each, item[each]]),
                        ),
                    );
                return [
                    [
                        `f:${key}`,
                        Object.fromEntries(
                            items.map((item) => [`k:${of(item)}`, { ".": {}, ...fieldsOf(item) }]),
                        ),
                    ],
                ];
            }
            // A selector is one field.
            const isSplit = typeof inner === "object" && inner !== null && key !== "selector";
            const children = isSplit ? fieldsOf(inner) : {};
            return [[`f:${key}`, children]];
        }),
    );
}

const arn = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;

/** The key of the account that encrypts the database and Redis. */
export const KEY_ID = "0a1b2c3d-1111-2222-3333-444455556666";
const KEY_ARN = arn("kms", `key/${KEY_ID}`);

const SUBNETS = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"].map((id) => ({
    SubnetIdentifier: id,
}));

/** What `aws rds describe-db-instances` tells of the runbook's instance. Section 7.2. */
export const INSTANCE = {
    DBInstanceIdentifier: "mcp-production",
    DBInstanceArn: arn("rds", "db:mcp-production"),
    DBInstanceClass: "db.r6g.xlarge",
    Engine: "postgres",
    EngineVersion: "16.4",
    AllocatedStorage: 200,
    MaxAllocatedStorage: 1000,
    StorageType: "gp3",
    StorageEncrypted: true,
    KmsKeyId: KEY_ARN,
    DBName: "mcp",
    MasterUsername: "postgres",
    DBSubnetGroup: { DBSubnetGroupName: "msil-private", Subnets: SUBNETS },
    DBParameterGroups: [{ DBParameterGroupName: "default.postgres16" }],
    MultiAZ: true,
    PubliclyAccessible: false,
    Endpoint: { Address: "mcp-production.x.rds.amazonaws.com", Port: 5432 },
    BackupRetentionPeriod: 7,
    PreferredBackupWindow: "23:30-00:30",
    PreferredMaintenanceWindow: "sat:20:30-sat:22:30",
    AutoMinorVersionUpgrade: true,
    CopyTagsToSnapshot: false,
    DeletionProtection: false,
    PerformanceInsightsEnabled: false,
};

/** What `aws elasticache describe-replication-groups` tells. Section 2.1. */
export const GROUP = {
    ReplicationGroupId: "msil-redis",
    ARN: arn("elasticache", "replicationgroup:msil-redis"),
    Description: "Redis",
    CacheNodeType: "cache.r7g.xlarge",
    MemberClusters: ["msil-redis-001", "msil-redis-002"],
    AutomaticFailover: "enabled",
    MultiAZ: "enabled",
    ClusterEnabled: false,
    NodeGroups: [{ PrimaryEndpoint: { Address: "msil-redis.x.cache.amazonaws.com", Port: 6379 } }],
    AtRestEncryptionEnabled: true,
    TransitEncryptionEnabled: true,
    KmsKeyId: KEY_ARN,
    SnapshotRetentionLimit: 7,
    AutoMinorVersionUpgrade: true,
};

/** The inventory that docs/adopting.md describes; `answers` are put over its own. */
export function inventory(answers: Record<string, unknown> = {}): Record<string, unknown> {
    return {
        region: REGION,
        "sts get-caller-identity": { Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:user/operator` },
        "eks describe-cluster": {
            cluster: {
                name: "mcp-production",
                endpoint: "https://eks.example",
                certificateAuthority: { data: "Q0E=" },
                resourcesVpcConfig: { vpcId: "vpc-0f00" },
            },
        },
        "rds describe-db-instances": { DBInstances: [INSTANCE] },
        "rds describe-db-subnet-groups": { DBSubnetGroups: [] },
        "rds describe-db-parameter-groups": { DBParameterGroups: [] },
        "elasticache describe-replication-groups": { ReplicationGroups: [GROUP] },
        "elasticache describe-cache-subnet-groups": { CacheSubnetGroups: [] },
        "ec2 describe-security-groups": { SecurityGroups: [] },
        "kms list-aliases": { Aliases: [{ AliasName: "alias/msil-data", TargetKeyId: KEY_ID }] },
        "s3api list-buckets": { Buckets: [{ Name: "msil-mcp-backups" }, { Name: "msil-other" }] },
        "logs describe-log-groups": {
            logGroups: [{ logGroupName: "/mcp/production/server", retentionInDays: 365 }],
        },
        "sns list-topics": { Topics: [] },
        "cloudwatch describe-alarms": { MetricAlarms: [], CompositeAlarms: [] },
        "cloudwatch list-dashboards": { DashboardEntries: [] },
        "events list-rules": { Rules: [] },
        "stepfunctions list-state-machines": { stateMachines: [] },
        "scheduler list-schedules": { Schedules: [] },
        "backup list-backup-vaults": { BackupVaultList: [] },
        "firehose list-delivery-streams": { DeliveryStreamNames: [] },
        "ssm list-documents": { DocumentIdentifiers: [] },
        "eks list-addons": { addons: ["coredns"] },
        "eks list-pod-identity-associations": { associations: [] },
        ...answers,
    };
}
