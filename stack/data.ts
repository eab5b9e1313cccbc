import { type Output } from "@pulumi/pulumi";
import { logGroupOf } from "../components/automation/stateMachine";
import { ConfigurationExport, EXPORT_PODS } from "../components/backup/configurationExport";
import { DatabaseDumps, DUMP_PODS } from "../components/backup/databaseDumps";
import { CacheSnapshots } from "../components/backup/cacheSnapshots";
import { DatabaseSnapshots } from "../components/backup/databaseSnapshots";
import { SnapshotCopies } from "../components/backup/snapshotCopies";
import { Cache, CACHE_PODS } from "../components/data/cache";
import { type Connection } from "../components/data/connection";
import { Database } from "../components/data/database";
import { DATABASE_PODS, DatabaseAccess } from "../components/data/databaseAccess";
import { type PodResources } from "../components/kubernetes/pod";
import { archiveLifecycle, AuditArchive } from "../components/storage/auditArchive";
import { BACKUP_LIFECYCLE, BackupBucket, SHORTEST_DAYS } from "../components/storage/backupBucket";
import { BucketCopy } from "../components/storage/bucketCopy";
import { type ResolvedStack } from "../config/resolve";
import { everyDay, everyWeek } from "../core/calendar";
import { required } from "../core/required";
import { COMPLETION_WINDOW_MINUTES, hoursCron, START_WINDOW_MINUTES } from "../core/snapshotHours";
import { type PlatformContext } from "./platform";
import { type Incidents } from "./incidents";

/** A store of the platform: the Secret with its URL, and its address. */
interface Store {
    connection: Connection;
    host: Output<string>;
}

/** Stores of the platform's data. Each exists if the stack's values have it. */
export interface Data {
    database: (Store & Pick<DatabaseSnapshots, "vaults">) | undefined;
    cache: Store | undefined;
    backups: BackupBucket | undefined;
    dumps: DatabaseDumps | undefined;
    archive: AuditArchive | undefined;
}

type ResolvedDatabase = NonNullable<ResolvedStack["database"]>;
type ResolvedBackups = NonNullable<ResolvedStack["backups"]>;
type ResolvedCache = NonNullable<ResolvedStack["cache"]>;

/** Maximum number of pods at the same time. */
export function dataPods({ database, cache, backups }: ResolvedStack): PodResources[] {
    return [
        ...(database === undefined ? [] : DATABASE_PODS),
        ...(cache === undefined ? [] : CACHE_PODS),
        ...(backups === undefined ? [] : EXPORT_PODS),
        ...(backups?.dumps === undefined ? [] : DUMP_PODS),
    ];
}

/** Declares databases, buckets and backups. Sections 2.1, 5.3 and 7. */
export function declareData(context: PlatformContext, incidents: Incidents | undefined): Data {
    const { stack, providers } = context;
    const { name, production, database, cache, backups, archive } = stack;
    const store = database && declareDatabase(context, database, required(incidents, "mcp:incident"));
    const bucket =
        backups &&
        new BackupBucket(
            `${name}-backups`,
            {
                bucket: backups.bucket,
                accountId: stack.aws.accountId,
                lock: backups.lock,
                protect: production,
            },
            { providers: { aws: providers.aws } },
        );
    if (backups !== undefined && bucket !== undefined) {
        declareExport(context, backups, bucket);
    }
    const auditArchive = archive && declareArchive(context, archive);
    declareCopies(context, bucket, auditArchive);
    return {
        database: store,
        cache: cache && declareCache(context, cache, required(incidents, "mcp:incident")),
        backups: bucket,
        dumps: store && backups?.dumps && bucket && declareDumps(context, backups.dumps, bucket, store),
        archive: auditArchive,
    };
}

/** The network of the EKS cluster, which contains the stores. */
function networkOf({ providers: { cluster } }: PlatformContext) {
    const { vpcConfig } = required(cluster, "the EKS cluster");
    return { vpcId: vpcConfig.vpcId, clusterSecurityGroup: vpcConfig.clusterSecurityGroupId };
}

function declareDatabase(
    context: PlatformContext,
    { active, checks, snapshots, openHours, tasks, users, ...database }: ResolvedDatabase,
    { topics, keyArn }: Incidents,
): NonNullable<Data["database"]> {
    const { stack, providers, labels, namespace } = context;
    const { name, production } = stack;
    const { aws, kubernetes, random } = providers;
    const instances = new Database(
        `${name}-database`,
        {
            ...database,
            ...networkOf(context),
            accountId: stack.aws.accountId,
            region: stack.aws.region,
            logDays: stack.logDays,
            copyAccountId: stack.copies?.account?.id,
            protect: production,
        },
        { providers: { aws, random } },
    );
    const inUse = active === "recovery" ? required(instances.recovered, "mcp:recovery") : instances.primary;
    const { vaults } = new DatabaseSnapshots(
        stack.databaseSnapshots.name,
        {
            ...stack.aws,
            instance: inUse,
            network: instances.network,
            hourly: {
                rules: Object.fromEntries(
                    openHours.map((hours) => [`hourly-${hours.weekdays.join("-")}`, hoursCron(hours)]),
                ),
                retentionDays: snapshots.hourly.retention,
            },
            daily: {
                rules: { daily: everyDay(snapshots.daily.start) },
                retentionDays: snapshots.daily.retention,
            },
            copies: declareSnapshotCopies(context),
            restoreTest: everyWeek(snapshots.restoreTest),
            startWindow: START_WINDOW_MINUTES,
            completionWindow: COMPLETION_WINDOW_MINUTES,
            topics: { failure: topics.P3, restore: topics.P4, keyArn },
            protect: production,
        },
        { providers: { aws } },
    );
    const { connection } = new DatabaseAccess(
        "mcp-database",
        {
            ...tasks,
            namespace: namespace.namespace,
            labels,
            database: instances,
            users,
            active,
            checks,
            compare: database.recovery?.compare,
        },
        { providers: { aws, kubernetes, random } },
    );
    return { connection, host: inUse.host, vaults };
}

function declareArchive(
    { stack, providers: { aws } }: PlatformContext,
    { bucket, mode, retention }: NonNullable<ResolvedStack["archive"]>,
): AuditArchive {
    return new AuditArchive(
        stack.auditArchive,
        {
            ...stack.aws,
            bucket,
            logGroup: stack.logs.audit,
            searchableDays: stack.logDays,
            retention: { mode, ...retention },
            protect: stack.production,
        },
        { providers: { aws } },
    );
}

/** Declares copies of buckets in a second region, if the stack's values have them. */
function declareCopies(
    { stack, providers }: PlatformContext,
    backups: BackupBucket | undefined,
    archive: AuditArchive | undefined,
): void {
    const { name, production, copies } = stack;
    if (copies === undefined) {
        return;
    }
    const { aws } = providers;
    const { region, accountId } = copies;
    const common = {
        ...stack.aws,
        elsewhere: { region, accountId, provider: required(providers.copies, "mcp:copies") },
        protect: production,
    };
    if (copies.backups !== undefined && backups !== undefined) {
        const { bucket, lock } = copies.backups;
        new BucketCopy(
            `${name}-backups-copy`,
            {
                ...common,
                source: backups,
                bucket,
                lifecycle: BACKUP_LIFECYCLE,
                retention: lock && { mode: lock, days: SHORTEST_DAYS },
                description: "Copies of dumps and exported configurations",
            },
            { providers: { aws } },
        );
    }
    if (copies.archive !== undefined && archive !== undefined) {
        const { bucket, mode, retention: time } = copies.archive;
        const retention = { mode, ...time };
        new BucketCopy(
            `${name}-audit-copy`,
            {
                ...common,
                source: archive,
                bucket,
                lifecycle: archiveLifecycle(retention),
                retention,
                description: "Copies of the audit events",
                keepKey: mode === "COMPLIANCE",
            },
            { providers: { aws } },
        );
    }
}

/** Declares vaults in a second region for copies of the database's snapshots, if the stack's values have them. */
function declareSnapshotCopies({ stack, providers }: PlatformContext) {
    const { copies } = stack;
    if (copies?.snapshots === undefined) {
        return undefined;
    }
    const { retentionDays } = copies.snapshots;
    const { vaults } = new SnapshotCopies(
        `${stack.databaseSnapshots.name}-copies`,
        {
            accountId: copies.accountId,
            sourceAccountId: stack.aws.accountId,
            retentionDays,
            protect: stack.production,
        },
        { providers: { aws: required(providers.copies, "mcp:copies") } },
    );
    return { vaults, retentionDays };
}

function declareDumps(
    { stack, providers: { aws, kubernetes }, labels, namespace }: PlatformContext,
    { tasks, ...dumps }: NonNullable<ResolvedBackups["dumps"]>,
    bucket: BackupBucket,
    { connection }: Store,
): DatabaseDumps {
    return new DatabaseDumps(
        "mcp-dumps",
        {
            ...dumps,
            ...tasks,
            namespace: namespace.namespace,
            labels,
            connection,
            bucket,
            subject: stack.name,
            metrics: stack.metrics,
        },
        { providers: { aws, kubernetes } },
    );
}

function declareExport(
    { stack, providers: { aws, kubernetes }, labels, namespace }: PlatformContext,
    { configurations }: ResolvedBackups,
    bucket: BackupBucket,
): void {
    new ConfigurationExport(
        "mcp-configurations",
        {
            ...configurations,
            namespace: namespace.namespace,
            namespaceName: stack.name,
            labels,
            apiServer: stack.kubernetes.apiServer,
            bucket,
            metrics: stack.metrics,
        },
        { providers: { aws, kubernetes } },
    );
}

function declareCache(context: PlatformContext, cache: ResolvedCache, incidents: Incidents): Store {
    const { stack, providers, labels, namespace } = context;
    const { aws, kubernetes, random } = providers;
    const { name, production } = stack;
    const { accountId, region } = stack.aws;
    const store = new Cache(
        `${name}-cache`,
        {
            ...cache,
            ...networkOf(context),
            accountId,
            region,
            logGroup: logGroupOf(stack.cacheSnapshots.name),
            namespace: namespace.namespace,
            labels,
            network: stack.kubernetes.vpc,
            nodeImage: stack.nodeImage,
            protect: production,
        },
        { providers: { aws, kubernetes, random } },
    );
    new CacheSnapshots(
        stack.cacheSnapshots.name,
        {
            group: cache.inUse,
            groups: cache.groups,
            bucket: cache.snapshotBucket,
            accountId,
            region,
            keyArn: store.keyArn,
            logDays: stack.logDays,
            topic: { arn: incidents.topics.P2, keyArn: incidents.keyArn },
            protect: production,
        },
        { providers: { aws } },
    );
    return store;
}
