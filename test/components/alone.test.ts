import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { Provider } from "@pulumi/aws/provider";
import { Secret } from "@pulumi/kubernetes/core/v1";
import { ComponentResource, type ComponentResourceOptions, output } from "@pulumi/pulumi";
import { CacheSnapshots } from "../../components/backup/cacheSnapshots";
import { ConfigurationExport } from "../../components/backup/configurationExport";
import { DatabaseDumps } from "../../components/backup/databaseDumps";
import { DatabaseSnapshots } from "../../components/backup/databaseSnapshots";
import { SnapshotCopies } from "../../components/backup/snapshotCopies";
import { Cache } from "../../components/data/cache";
import { Database } from "../../components/data/database";
import { DatabaseAccess } from "../../components/data/databaseAccess";
import { PlatformIngress } from "../../components/edge/ingress";
import { PodIdentity } from "../../components/identity/podIdentity";
import { Chat } from "../../components/incident/chat";
import { OutsideChecks } from "../../components/observability/outsideChecks";
import { channelOf } from "../../components/incident/channel";
import { Escalation } from "../../components/incident/escalation";
import { SeverityTopics } from "../../components/incident/severityTopics";
import { MaintenanceWindows } from "../../components/maintenance/maintenanceWindows";
import { UpgradeCheck } from "../../components/maintenance/upgradeCheck";
import { type Alarm } from "../../components/observability/alarm";
import { Alarms } from "../../components/observability/alarms";
import { PlatformDashboard } from "../../components/observability/dashboard";
import { HealthChecks } from "../../components/observability/healthChecks";
import { LogAnalysis } from "../../components/observability/logAnalysis";
import { LogGroups } from "../../components/observability/logGroups";
import { LogShipper } from "../../components/observability/logShipper";
import { MetricsCollector } from "../../components/observability/metricsCollector";
import { PodMetrics } from "../../components/observability/podMetrics";
import { CacheCleanup } from "../../components/operations/cacheCleanup";
import { DatabaseMaintenance } from "../../components/operations/databaseMaintenance";
import { Diagnostics } from "../../components/operations/diagnostics";
import { DisabledTools } from "../../components/operations/disabledTools";
import { JwksCacheClearing } from "../../components/operations/jwksCacheClearing";
import { PlatformNamespace } from "../../components/platform/namespace";
import { ValidatedReleases } from "../../components/platform/validatedReleases";
import { AuditArchive } from "../../components/storage/auditArchive";
import { BackupBucket } from "../../components/storage/backupBucket";
import { BucketCopy } from "../../components/storage/bucketCopy";
import { BlueGreenWorkload } from "../../components/workload/blueGreenWorkload";
import { ReleaseApproval } from "../../components/workload/releaseApproval";
import { RollingWorkload } from "../../components/workload/rollingWorkload";
import { type Severity } from "../../core/numbers";
import { recordProgram, root } from "../support";

const account = { accountId: "111122223333", region: "eu-west-1" };
const objects = { namespace: "apps", namespaceName: "apps", labels: {} };
const cluster = "eks";
const network = "10.0.0.0/16";
const apiServer = { cidr: "10.0.0.1/32", port: 443 };
const images = { node: "node:22", aws: "aws:2", postgres: "postgres:17" };
const topic = "arn:aws:sns:eu-west-1:111122223333:topic";
const keyArn = "arn:aws:kms:eu-west-1:111122223333:key/k";
const vpc = { vpcId: "vpc-1", clusterSecurityGroup: "sg-1", subnets: ["subnet-1", "subnet-2"] };
const bySeverity = <T>(value: T): Record<Severity, T> => ({ P1: value, P2: value, P3: value, P4: value });
const instance = { identifier: "db", ready: [] };

const database = (opts: ComponentResourceOptions, name = "db") =>
    new Database(
        name,
        {
            ...account,
            ...vpc,
            logDays: 7,
            identifier: "db",
            subnetGroup: "db",
            instanceClass: "db.t4g.micro",
            version: "17",
            storage: { initial: 20, max: 40 },
            multiAz: false,
            backupRetention: 7,
            maintenanceWindow: "sat:20:30-sat:22:30",
            backupWindow: "23:30-00:30",
            slowQuery: 1,
            protect: false,
        },
        opts,
    );
const bucket = (opts: ComponentResourceOptions) =>
    new BackupBucket("backups", { ...account, bucket: "backups", protect: false }, opts);
/** The Secret that leads to a store, as another project would have it. */
const connection = ({ parent }: ComponentResourceOptions) => ({
    secret: output("store"),
    key: "url",
    checksum: output("0"),
    resource: new Secret("store", {}, { parent: parent! }),
});
const dump = (opts: ComponentResourceOptions) => ({
    ...objects,
    cluster,
    network,
    region: account.region,
    connection: connection(opts),
    bucket: bucket(opts),
    tables: ["orders"],
    minimumSize: 1,
    scratch: "1Gi",
    metrics: "Test",
    images,
});
const workload = {
    ...objects,
    port: 8080,
    probes: { liveness: "/live", readiness: "/ready" },
    scaling: { min: 1, max: 2, cpu: 70 },
    resources: { cpu: { request: "1", limit: "1" }, memory: { request: "64Mi", limit: "64Mi" } },
    smoke: { requests: [], deadline: 60 },
    nodeImage: images.node,
    releaseHistory: "releases",
    apiServer,
};
const release = { version: "v1", image: "api:v1", config: {} };
const server = { ...objects, apiServer, app: "api", port: 8080, run: "now" };

const alarm: Alarm = {
    id: "slow",
    severity: "P3",
    meaning: "The service is slow.",
    cause: "It is short of CPU.",
    resolution: "Scale it up.",
    procedure: "slow-responses",
    metric: { namespace: "Test", name: "Latency", dimensions: {}, statistic: "Maximum" },
    comparison: ">",
    threshold: 1,
    minutes: 5,
    missingData: "level",
};

/** Every component by its class, with the least that it takes. */
const COMPONENTS: Readonly<Record<string, (opts: ComponentResourceOptions) => unknown>> = {
    Alarms: (opts) =>
        new Alarms(
            "it",
            {
                platform: "it",
                region: account.region,
                alarms: [alarm],
                mutes: [],
                topics: bySeverity(topic),
                actions: bySeverity([]),
            },
            opts,
        ),
    AuditArchive: (opts) =>
        new AuditArchive(
            "it",
            {
                ...account,
                bucket: "audit",
                logGroup: "/audit",
                searchableDays: 7,
                retention: { mode: "GOVERNANCE", days: 7 },
            },
            opts,
        ),
    BackupBucket: bucket,
    BlueGreenWorkload: (opts) =>
        new BlueGreenWorkload(
            "it",
            {
                ...workload,
                apiServer,
                releases: { blue: release },
                active: "blue",
                soak: {
                    durationSeconds: 60,
                    maxErrorPercent: 5,
                    minimumRequests: 1,
                    allowNoData: true,
                    metrics: {
                        path: "/metrics",
                        port: 8080,
                        requests: { counter: "r" },
                        errors: { counter: "e" },
                    },
                },
                releaseHistory: "releases",
            },
            opts,
        ).promote(),
    BucketCopy: (opts) =>
        new BucketCopy(
            "it",
            {
                ...account,
                source: { bucket: "backups", keyArn, ready: [] },
                elsewhere: {
                    region: "eu-central-1",
                    accountId: account.accountId,
                    provider: new Provider("elsewhere", { region: "eu-central-1" }, { parent: opts.parent! }),
                },
                bucket: "copies",
                lifecycle: [],
                description: "Copies",
                protect: false,
            },
            opts,
        ),
    Cache: (opts) =>
        new Cache(
            "it",
            {
                ...account,
                ...vpc,
                namespace: "apps",
                labels: {},
                group: "cache",
                nodeType: "cache.t4g.micro",
                version: "7.1",
                replicas: 0,
                maintenanceWindow: "sat:20:30-sat:22:30",
                logGroup: "/aws/vendedlogs/states/it",
                snapshotBucket: "snapshots",
                network,
                nodeImage: "node:24",
                active: "primary",
                protect: false,
            },
            opts,
        ),
    CacheCleanup: (opts) =>
        new CacheCleanup(
            "it",
            {
                ...objects,
                cache: connection(opts),
                network,
                schedule: "30 4 * * *",
                nodeImage: images.node,
            },
            opts,
        ),
    CacheSnapshots: (opts) =>
        new CacheSnapshots(
            "it",
            {
                ...account,
                group: "cache",
                groups: ["cache"],
                bucket: "snapshots",
                keyArn,
                logDays: 7,
                topic: { arn: topic, keyArn },
                protect: false,
            },
            opts,
        ),
    Chat: (opts) =>
        new Chat(
            "it",
            {
                accountId: account.accountId,
                channel: { slack: { workspace: "T00000000", channel: "C00000000" } },
                topics: [topic],
            },
            opts,
        ),
    ConfigurationExport: (opts) =>
        new ConfigurationExport(
            "it",
            {
                ...objects,
                cluster,
                region: account.region,
                apiServer,
                bucket: bucket(opts),
                metrics: "Test",
                schedule: "30 22 * * *",
                images,
            },
            opts,
        ),
    Database: (opts) => database(opts),
    DatabaseAccess: (opts) =>
        new DatabaseAccess(
            "it",
            {
                ...objects,
                cluster,
                network,
                region: account.region,
                database: database(opts),
                users: { all: [{ name: "mcp", login: true }], active: "mcp" },
                active: "primary",
                checks: [],
                images,
            },
            opts,
        ),
    DatabaseDumps: (opts) =>
        new DatabaseDumps(
            "it",
            { ...dump(opts), subject: "orders", daily: "0 23 * * *", weekly: "0 21 * * 0", deadline: 60 },
            opts,
        ),
    DatabaseMaintenance: (opts) =>
        new DatabaseMaintenance(
            "it",
            {
                ...dump(opts),
                window: {
                    weekday: "sun",
                    start: "01:00",
                    end: "05:00",
                    open: [{ start: "01:00", end: "05:00" }],
                    offsetMinutes: 0,
                },
                deadlineSeconds: 60,
                schedule: "0 1 * * *",
            },
            opts,
        ),
    DatabaseSnapshots: (opts) =>
        new DatabaseSnapshots(
            "it",
            {
                ...account,
                instance,
                network: { subnetGroup: "db", securityGroup: "sg-1" },
                hourly: { rules: { hourly: "0 * ? * * *" }, retentionDays: 1 },
                daily: { rules: { daily: "0 0 ? * * *" }, retentionDays: 7 },
                restoreTest: "0 10 ? * MON *",
                startWindow: 60,
                completionWindow: 120,
                topics: { failure: topic, restore: topic, keyArn },
                protect: false,
            },
            opts,
        ),
    Diagnostics: (opts) =>
        new Diagnostics(
            "it",
            { ...server, metrics: "/metrics", jwksStatus: "/jwks", probes: [], stores: {}, network, images },
            opts,
        ),
    DisabledTools: (opts) =>
        new DisabledTools(
            "it",
            {
                api: "https://admin.example.com/tools",
                tools: ["search"],
                platform: connection(opts).resource,
            },
            opts,
        ),
    Escalation: (opts) => {
        const level = { channels: [channelOf("a@example.com")], within: 900, chat: false };
        const levels = { L1: level, L2: level, L3: level, L4: level };
        return new Escalation(
            "it",
            {
                ...account,
                platform: "it",
                levels,
                external: {},
                logDays: 7,
                topic: { arn: topic, keyArn },
                severityTopics: { keyAlias: "alias/mcp-incidents", arns: bySeverity(topic), keyArn },
                staleSeconds: 86_400,
            },
            opts,
        );
    },
    HealthChecks: (opts) =>
        new HealthChecks(
            "it",
            {
                ...objects,
                cluster,
                network,
                region: account.region,
                metricNamespace: "Test",
                probes: [],
                outside: {},
                services: [],
                stores: {},
                ports: [],
                images,
            },
            opts,
        ),
    JwksCacheClearing: (opts) =>
        new JwksCacheClearing("it", { ...server, path: "/clear", nodeImage: images.node }, opts),
    LogAnalysis: (opts) =>
        new LogAnalysis(
            "it",
            {
                group: new LogGroup("server", {}, { parent: opts.parent! }),
                statusField: "status",
                pathField: "path",
                probePaths: ["/health"],
                metrics: "Test",
                folder: "it",
            },
            opts,
        ),
    LogGroups: (opts) =>
        new LogGroups("it", { ...account, prefix: "/it/", retentionDays: { api: 7 }, protect: false }, opts),
    LogShipper: (opts) =>
        new LogShipper(
            "it",
            {
                cluster,
                accountId: account.accountId,
                labels: {},
                image: "fluent-bit:3",
                dns: [],
                routes: { region: account.region, namespace: "apps", services: {}, jobs: "/it/jobs" },
                after: [],
            },
            opts,
        ),
    MaintenanceWindows: (opts) =>
        new MaintenanceWindows(
            "it",
            {
                ...account,
                patches: {
                    cron: "0 2 ? * SUN *",
                    end: "04:00",
                    hours: 2,
                    patchGroup: "it",
                    operatingSystem: "AMAZON_LINUX_2023",
                    approveAfterDays: 7,
                    restart: { cluster, drainSeconds: 600 },
                    logGroup: "/it/patches",
                    logDays: 7,
                },
                windows: {},
                topics: { begun: topic, failed: topic, keyArn },
            },
            opts,
        ),
    MetricsCollector: (opts) =>
        new MetricsCollector(
            "it",
            {
                ...account,
                ...objects,
                cluster,
                image: "collector:1",
                services: { api: { port: 8080, path: "/metrics" } },
                intervalSeconds: 30,
                metrics: "Test",
                logGroup: "/it/metrics",
                after: [],
            },
            opts,
        ),
    OutsideChecks: (opts) =>
        new OutsideChecks("it", { ...account, endpoints: [], metrics: "Test", logDays: 7 }, opts),
    PlatformDashboard: (opts) =>
        new PlatformDashboard(
            "it",
            {
                region: account.region,
                metrics: "Test",
                cluster,
                namespace: "apps",
                serverLog: "/it/server",
                queries: [],
                cacheNodes: [],
            },
            opts,
        ),
    PlatformIngress: (opts) =>
        new PlatformIngress(
            "it",
            {
                ...objects,
                className: "traefik",
                certificates: { tls: { certificate: "PEM", leaf: "PEM", privateKey: "PEM" } },
                active: {
                    name: "tls",
                    facts: {
                        serial: "01",
                        notBefore: "2026-01-01T00:00:00Z",
                        notAfter: "2027-01-01T00:00:00Z",
                    },
                },
                hosts: [{ host: "api.example.com", paths: [{ path: "/", workload: "api" }] }],
            },
            opts,
        ),
    PlatformNamespace: (opts) => {
        const most = { cpu: "1", memory: "1Gi" };
        return new PlatformNamespace(
            "it",
            { namespace: "apps", labels: {}, quota: { pods: 1, requests: most, limits: most } },
            opts,
        );
    },
    PodIdentity: (opts) =>
        new PodIdentity(
            "it",
            {
                cluster,
                namespace: "apps",
                serviceAccount: "api",
                permissions: [{ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::b/*"] }],
            },
            opts,
        ),
    PodMetrics: (opts) => new PodMetrics("it", { ...account, cluster, retentionDays: 7 }, opts),
    ReleaseApproval: (opts) =>
        new ReleaseApproval(
            "it",
            {
                ...objects,
                environment: "production",
                releaseHistory: "releases",
                apiServer,
                workloads: { api: "rolling" },
                validation: { unvalidated: "a test" },
                stakeholders: { unannounced: "a test" },
                nodeImage: images.node,
                after: [],
            },
            opts,
        ),
    RollingWorkload: (opts) => new RollingWorkload("it", { ...workload, release }, opts),
    SeverityTopics: (opts) => new SeverityTopics("it", { ...account, channels: bySeverity([]) }, opts),
    SnapshotCopies: (opts) =>
        new SnapshotCopies(
            "it",
            {
                accountId: account.accountId,
                sourceAccountId: "444455556666",
                retentionDays: 7,
                protect: false,
            },
            opts,
        ),
    UpgradeCheck: (opts) =>
        new UpgradeCheck(
            "it",
            {
                ...objects,
                cluster,
                region: account.region,
                metrics: "Test",
                apiServer,
                version: "1.34",
                schedule: "0 2 * * *",
                images,
            },
            opts,
        ),
    ValidatedReleases: (opts) =>
        new ValidatedReleases("it", { ...objects, stack: "organization/mcp/staging" }, opts),
};

/** A part of somebody else's program, below which a component is declared. */
class Parent extends ComponentResource {
    constructor() {
        super("test:index:Parent", "parent");
    }
}

describe("each component", () => {
    const declared = readdirSync(join(root, "components"), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .flatMap((file) => [
            ...readFileSync(join(root, "components", file), "utf8").matchAll(
                /^export class (\w+)(?:<[^{]*>)? extends ComponentResource/gm,
            ),
        ])
        .map(([, name]) => name!);

    it("is among those that are constructed alone", () => {
        assert.deepEqual(Object.keys(COMPONENTS).sort(), declared.sort());
    });

    for (const [name, construct] of Object.entries(COMPONENTS)) {
        it(`is declared alone, below a parent of its user's: ${name}`, async () => {
            const folder = process.cwd();
            // Programs and scripts of jobs/ are found wherever the process runs.
            process.chdir("/");
            try {
                const { resources } = await recordProgram(() => void construct({ parent: new Parent() }));
                const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
                const [parent] = resources.filter(({ type }) => type === "test:index:Parent");
                const isBelow = (urn: string): boolean =>
                    urn === parent!.urn || (byUrn.has(urn) && isBelow(byUrn.get(urn)!.parent));
                const elsewhere = resources.filter(
                    ({ urn, type }) => type !== "pulumi:pulumi:Stack" && !isBelow(urn),
                );
                assert.deepEqual(
                    elsewhere.map(({ urn }) => urn),
                    [],
                );
                // The component and at least one object of it.
                const component = resources.filter(({ custom, parent: of }) => !custom && of === parent!.urn);
                assert.ok(component.length > 0);
                assert.ok(resources.some(({ custom }) => custom));
            } finally {
                process.chdir(folder);
            }
        });
    }
});
