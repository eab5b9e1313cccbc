import { type Output } from "@pulumi/pulumi";
import { logGroupOf } from "../components/automation/stateMachine";
import { ConfigurationExport } from "../components/backup/configurationExport";
import { DatabaseDumps } from "../components/backup/databaseDumps";
import { CacheSnapshots } from "../components/backup/cacheSnapshots";
import { DatabaseSnapshots } from "../components/backup/databaseSnapshots";
import { Cache } from "../components/data/cache";
import { type Connection } from "../components/data/connection";
import { Database } from "../components/data/database";
import { DatabaseAccess } from "../components/data/databaseAccess";
import { AuditArchive } from "../components/storage/auditArchive";
import { BackupBucket } from "../components/storage/backupBucket";
import { type CacheValues } from "../config/cache";
import { type DatabaseValues } from "../config/database";
import { COMPLETION_WINDOW_MINUTES, hoursCron, openHours, START_WINDOW_MINUTES } from "../core/snapshotHours";
import { pinned } from "../config/images";
import { databaseNames } from "../config/joins";
import { type BackupsValues } from "../config/storage";
import { everyDay, everyWeek, utcDaily, utcWeekly } from "../core/calendar";
import { type PlatformContext } from "./platform";
import { type Incidents } from "./incidents";

/** A store of the platform: the Secret that leads the pods there, and its address. */
interface Store {
    connection: Connection;
    host: Output<string>;
}

/** What keeps the platform's data. Each is there if the stack's values ask for it. */
export interface Data {
    database: (Store & Pick<DatabaseSnapshots, "vaults">) | undefined;
    cache: Store | undefined;
    backups: BackupBucket | undefined;
    dumps: DatabaseDumps | undefined;
    archive: AuditArchive | undefined;
}

/** Declares databases, buckets and what saves the one in the other. Sections 2.1, 5.3 and 7. */
export function declareData(context: PlatformContext, incidents: Incidents): Data {
    const { values, providers, production, name, logDays } = context;
    const { aws } = providers;
    const { database, cache, backups, archive } = values;
    const store = database && declareDatabase(context, database, incidents);
    const bucket =
        backups &&
        new BackupBucket(
            `${name}-backups`,
            { bucket: backups.bucket, accountId: values.aws.accountId, protect: production },
            { providers: { aws } },
        );
    if (backups !== undefined && bucket !== undefined) {
        declareExport(context, backups, bucket);
    }
    return {
        database: store,
        cache: cache && declareCache(context, cache, incidents),
        backups: bucket,
        dumps: store && backups && bucket && declareDumps(context, backups, bucket, store),
        archive:
            archive &&
            new AuditArchive(
                `${name}-audit`,
                {
                    ...values.aws,
                    bucket: archive.bucket,
                    logGroup: `/mcp/${values.environment}/audit`,
                    searchableDays: logDays,
                    retention: { mode: archive.mode, ...archive.retention },
                    protect: production,
                },
                { providers: { aws } },
            ),
    };
}

function declareDatabase(
    { values, providers, production, name, labels, namespace }: PlatformContext,
    { subnets, active, checks, snapshots, ...database }: DatabaseValues,
    { topics, keyArn }: Incidents,
): NonNullable<Data["database"]> {
    const { aws, kubernetes, random, cluster } = providers;
    const names = databaseNames(values);
    const { recovery } = values;
    const instances = new Database(
        `${name}-database`,
        {
            ...database,
            ...names,
            subnets,
            accountId: values.aws.accountId,
            vpcId: cluster!.vpcConfig.vpcId,
            clusterSecurityGroup: cluster!.vpcConfig.clusterSecurityGroupId,
            multiAz: database.multiAz ?? production,
            maintenanceWindow: utcWeekly(database.maintenanceWindow),
            backupWindow: utcDaily(database.backupWindow),
            protect: production,
            recovery: recovery && { ...recovery, identifier: names.recovery },
        },
        { providers: { aws, random } },
    );
    const inUse = active === "recovery" ? instances.recovered! : instances.primary;
    const open = openHours([database.maintenanceWindow, database.backupWindow], snapshots.daily.start);
    const { vaults } = new DatabaseSnapshots(
        `${name}-snapshots`,
        {
            ...values.aws,
            instance: inUse,
            network: instances.network,
            hourly: {
                rules: Object.fromEntries(
                    open.map((hours) => [`hourly-${hours.weekdays.join("-")}`, hoursCron(hours)]),
                ),
                retentionDays: snapshots.hourly.retention,
            },
            daily: {
                rules: { daily: everyDay(snapshots.daily.start) },
                retentionDays: snapshots.daily.retention,
            },
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
            namespace: namespace.namespace,
            labels,
            cluster: values.kubernetes.cluster!,
            region: values.aws.region,
            network: values.kubernetes.vpc,
            database: instances,
            active,
            checks,
            images: {
                postgres: pinned(values.images, values.jobs.images.postgres!),
                aws: pinned(values.images, values.jobs.images.aws!),
            },
        },
        { providers: { aws, kubernetes, random } },
    );
    return { connection, host: inUse.host, vaults };
}

function declareDumps(
    { values, providers: { aws, kubernetes }, name, labels, namespace, metrics }: PlatformContext,
    { dumps, manual }: BackupsValues,
    bucket: BackupBucket,
    { connection }: Store,
): DatabaseDumps {
    return new DatabaseDumps(
        "mcp-dumps",
        {
            ...dumps,
            namespace: namespace.namespace,
            labels,
            cluster: values.kubernetes.cluster!,
            region: values.aws.region,
            network: values.kubernetes.vpc,
            connection,
            bucket,
            subject: name,
            metrics,
            daily: dumps.daily.cron,
            weekly: dumps.weekly.cron,
            manual,
            images: {
                postgres: pinned(values.images, values.jobs.images.postgres!),
                aws: pinned(values.images, values.jobs.images.aws!),
            },
        },
        { providers: { aws, kubernetes } },
    );
}

function declareExport(
    { values, providers: { aws, kubernetes }, name, labels, namespace, metrics }: PlatformContext,
    { configurations }: BackupsValues,
    bucket: BackupBucket,
): void {
    new ConfigurationExport(
        "mcp-configurations",
        {
            namespace: namespace.namespace,
            namespaceName: name,
            labels,
            cluster: values.kubernetes.cluster!,
            region: values.aws.region,
            apiServer: values.kubernetes.apiServer,
            bucket,
            metrics,
            schedule: configurations.cron,
            images: {
                node: pinned(values.images, values.jobs.images.node),
                aws: pinned(values.images, values.jobs.images.aws!),
            },
        },
        { providers: { aws, kubernetes } },
    );
}

function declareCache(
    { values, providers, production, name, labels, namespace, logDays }: PlatformContext,
    { snapshotBucket, maintenanceWindow, ...cache }: CacheValues,
    incidents: Incidents,
): Store {
    const { aws, kubernetes, random, cluster } = providers;
    const { accountId, region, canonicalUserId } = values.aws;
    const snapshots = `${name}-redis-backup`;
    const store = new Cache(
        `${name}-cache`,
        {
            ...cache,
            group: name,
            accountId,
            region,
            vpcId: cluster!.vpcConfig.vpcId,
            clusterSecurityGroup: cluster!.vpcConfig.clusterSecurityGroupId,
            maintenanceWindow: utcWeekly(maintenanceWindow),
            logGroup: logGroupOf(snapshots),
            namespace: namespace.namespace,
            labels,
            protect: production,
        },
        { providers: { aws, kubernetes, random } },
    );
    new CacheSnapshots(
        snapshots,
        {
            group: name,
            bucket: snapshotBucket,
            accountId,
            canonicalUserId: canonicalUserId!,
            region,
            keyArn: store.keyArn,
            logDays,
            topic: { arn: incidents.topics.P2, keyArn: incidents.keyArn },
            protect: production,
        },
        { providers: { aws } },
    );
    return store;
}
