import { getOwn } from "../../core/getOwn";
import { utcDaily, utcWeekly } from "../../core/calendar";
import { COLOURS, DEBUG, LOG_RETENTION_DAYS, SERVER, TRIAL_LOG_RETENTION_DAYS } from "../../core/numbers";
import { required } from "../../core/required";
import { openHours } from "../../core/snapshotHours";
import { type CopiesValues } from "../copies";
import { type DatabaseValues } from "../database";
import { pinned, registryOf } from "../images";
import { quietParts } from "../maintenance";
import { isSameTime } from "../rotation";
import { type ObservabilityValues } from "../observability";
import { type StackValues } from "../stack";
import { isProduction } from "../tier";
import { adminApiOf } from "../tools";
import { resolveCredentials } from "./credentials";
import { databaseNames, resolveNames } from "./names";
import { externalProbes, publicEndpoints, resolveProbes } from "./probes";
import { type ResolvedWorkload, resolveWorkloads } from "./workloads";

export { type ResolvedWorkload, type Store } from "./workloads";
export { type PublicEndpoint } from "./probes";

/**
 * The stack's values, ready to declare: images are pinned, references are resolved, names are built. A concern that the
 * stack does not have is undefined.
 */
export type ResolvedStack = ReturnType<typeof resolveStack>;

/** Resolves validated values. */
export function resolveStack(values: StackValues) {
    const { environment, kubernetes, alarms } = values;
    const production = isProduction(values);
    const workloads = resolveWorkloads(values);
    const names = resolveNames(values);
    return {
        environment,
        /** Whether production's stricter rules hold: protected data, two zones, events kept for a year. */
        production,
        /** Whether any concern is on AWS. Otherwise there is no account, and there are no alarms. */
        onAws: values.aws !== undefined,
        /** The schema requires these for anything on AWS. */
        get aws() {
            return required(values.aws, "mcp:aws");
        },
        get incident() {
            return required(values.incident, "mcp:incident");
        },
        kubernetes,
        ...names,
        /** How long log groups stay searchable, in days. Section 5.3. */
        logDays: production ? LOG_RETENTION_DAYS : TRIAL_LOG_RETENTION_DAYS,
        /** Registries whose images may run. */
        registries: [registryOf(values), ...values.images.trusted].filter((each) => each !== undefined),
        /** Node.js, for the gates. */
        nodeImage: imageOf(values, "node"),
        endpoints: values.endpoints,
        alarms,
        objectives: values.objectives,
        workloads,
        ingress: resolveIngress(values, workloads),
        releaseApproval: production ? resolveReleaseApproval(values) : undefined,
        database: values.database && resolveDatabase(values, values.database),
        cache: values.cache && resolveCache(values, values.cache, names.name),
        backups: values.backups && resolveBackups(values, values.backups),
        archive: values.archive,
        copies: values.copies && resolveCopies(values, values.copies),
        maintenance: values.maintenance && {
            ...values.maintenance,
            patches: resolvePatches(values, values.maintenance.patches),
            upgrade: values.maintenance.upgrade && {
                ...values.maintenance.upgrade,
                ...eksOf(values),
                images: imagesOf(values, "node", "aws"),
            },
        },
        observability: values.observability && resolveObservability(values, values.observability),
        health: values.health && {
            ...eksOf(values),
            probes: resolveProbes(values, values.health),
            outside: publicEndpoints(values),
            images: { ...imagesOf(values, "node", "aws"), postgres: optionalImage(values, "postgres") },
            run: values.operations.healthCheck,
            credentials: resolveCredentials(
                values,
                values.database ? databaseUsers(values, values.database).all : [],
            ),
        },
        operations: resolveOperations(values, workloads),
    };
}

type JobImage = keyof StackValues["jobs"]["images"];

function optionalImage({ images, jobs }: StackValues, name: JobImage): string | undefined {
    const reference = jobs.images[name];
    return reference && pinned(images, reference);
}

/** An image of the tasks, pinned. */
function imageOf(values: StackValues, name: JobImage): string {
    return required(optionalImage(values, name), `mcp:jobs.images.${name}`);
}

function imagesOf<Name extends JobImage>(values: StackValues, ...names: Name[]): Record<Name, string> {
    return Object.fromEntries(names.map((name) => [name, imageOf(values, name)])) as Record<Name, string>;
}

/** Patches of the nodes, and the cluster of the nodes that restart. Default: no node restarts. */
function resolvePatches(
    values: StackValues,
    { reboot, drain, ...patches }: NonNullable<StackValues["maintenance"]>["patches"],
) {
    return {
        ...patches,
        restart: reboot ? { cluster: eksOf(values).cluster, drainSeconds: drain } : undefined,
    };
}

/** The EKS cluster, for workloads with AWS rights. */
function eksOf({ kubernetes, aws }: StackValues) {
    return {
        cluster: required(kubernetes.cluster, "mcp:kubernetes.cluster"),
        region: required(aws, "mcp:aws").region,
    };
}

/** Tasks that use the database and transfer files to AWS. */
function databaseTasks(values: StackValues) {
    return {
        ...eksOf(values),
        network: values.kubernetes.vpc,
        images: imagesOf(values, "node", "postgres", "aws"),
    };
}

function resolveDatabase(values: StackValues, database: DatabaseValues) {
    const { identifier, recovery, subnetGroup } = databaseNames(values);
    const { active, snapshots } = database;
    const windows = [database.maintenanceWindow, database.backupWindow];
    return {
        ...database,
        identifier,
        subnetGroup,
        /** Name of the instance that the services use. */
        inUse: active === "recovery" ? recovery : identifier,
        multiAz: database.multiAz ?? isProduction(values),
        maintenanceWindow: utcWeekly(database.maintenanceWindow),
        backupWindow: utcDaily(database.backupWindow),
        /** Hours at which AWS Backup can take a snapshot. */
        openHours: openHours(windows, snapshots.daily.start),
        recovery: values.recovery && { ...values.recovery, identifier: recovery },
        users: databaseUsers(values, database),
        tasks: databaseTasks(values),
    };
}

/** The services' users of PostgreSQL: the owner, and the other one once its password has been made. */
function databaseUsers({ rotation }: StackValues, { user }: DatabaseValues) {
    const { active = "a", passwords = {}, only } = rotation?.database ?? {};
    const isOnly = isSameTime(only, passwords[active]);
    const names = { a: user, b: `${user}_b` };
    return {
        active: names[active],
        all: (["a", "b"] as const)
            .filter((key) => key === "a" || passwords.b !== undefined)
            .map((key) => ({
                name: names[key],
                rotated: passwords[key],
                login: key === active || !isOnly,
            })),
    };
}

function resolveBackups(values: StackValues, backups: NonNullable<StackValues["backups"]>) {
    const { bucket, lock, dumps, configurations, manual } = backups;
    const { databaseMaintenance: run } = values.operations;
    return {
        bucket,
        lock,
        configurations: {
            ...eksOf(values),
            schedule: configurations.cron,
            images: imagesOf(values, "node", "aws"),
        },
        /** Dumps of the database, and its maintenance, which takes a dump first. Default: no database. */
        dumps: values.database && {
            ...dumps,
            daily: dumps.daily.cron,
            weekly: dumps.weekly.cron,
            manual,
            tasks: databaseTasks(values),
            /** Parts of the database's window in which neither nodes nor the database are patched. Section 5.1. */
            quiet: quietParts(values),
            maintenance: run && {
                hash: `${run.run}${run.force === undefined ? "" : "-forced"}`,
                label: run.run,
                force: run.force,
            },
        },
    };
}

function resolveCache(values: StackValues, cache: NonNullable<StackValues["cache"]>, name: string) {
    const { cacheRecovery } = values;
    const group = cache.adopted ?? name;
    const recovery = `${name}-recovery`;
    /** Name of the replication group that the services use. */
    const inUse = cache.active === "recovery" ? recovery : group;
    return {
        ...cache,
        group,
        /** Names of the replication groups that may be in use. */
        groups: [group, recovery],
        inUse,
        maintenanceWindow: utcWeekly(cache.maintenanceWindow),
        /** ElastiCache's naming scheme for the nodes of a group. */
        nodes: Array.from(
            { length: cache.replicas + 1 },
            (_, index) => `${inUse}-${String(index + 1).padStart(3, "0")}`,
        ),
        recovery: cacheRecovery && { ...cacheRecovery, group: recovery },
        token: resolveToken(values),
        cleanup: resolveCacheCleanup(values),
    };
}

/** When the token of Redis was made, and whether the one before it has ended. */
function resolveToken({ rotation }: StackValues) {
    const { rotated, only } = rotation?.cache ?? {};
    return { rotated, isOnly: isSameTime(rotated, only) };
}

function resolveCopies({ aws, database, backups, archive }: StackValues, copies: CopiesValues) {
    return {
        ...copies,
        accountId: copies.account?.id ?? required(aws, "mcp:aws").accountId,
        /** Retention of the copies of snapshots, in days. Default: no database. */
        snapshots: database && {
            retentionDays: copies.snapshots.retention ?? database.snapshots.daily.retention,
        },
        backups: copies.backups &&
            backups && { bucket: copies.backups.bucket, lock: copies.backups.lock ?? backups.lock },
        archive: copies.archive &&
            archive && {
                bucket: copies.archive.bucket,
                mode: copies.archive.mode ?? archive.mode,
                retention: copies.archive.retention ?? archive.retention,
            },
    };
}

function resolveCacheCleanup({ operations: { cacheCleanup } }: StackValues) {
    return (
        cacheCleanup && {
            hash: `${cacheCleanup.run}${cacheCleanup.dryRun ? "-dry" : ""}`,
            dryRun: cacheCleanup.dryRun,
        }
    );
}

function resolveIngress(values: StackValues, workloads: Record<string, ResolvedWorkload>) {
    const { ingress, tls, kubernetes } = values;
    if (ingress === undefined) {
        return undefined;
    }
    const { alb, certificate } = ingress;
    const pairOf = (name: string) => required(getOwn(tls, name), `mcp:tls.${name}`);
    return {
        ...ingress,
        certificates: Object.fromEntries(ingress.certificates.map((name) => [name, pairOf(name)])),
        active: { name: certificate, facts: pairOf(certificate).facts },
        /** Namespace of the ingress controller. Default: an ALB serves the pods. */
        controllerNamespace: alb === undefined ? kubernetes.ingressNamespace : undefined,
        /** Whether an update waits until the hosts serve the active certificate. Section 5.4 step 4. */
        verify: ingress.verify ?? isProduction(values),
        alb: alb && {
            ...alb,
            subnets: alb.subnets.map(({ id }) => id),
            /** Workloads whose traffic the ALB switches between colours. */
            weighted: Object.fromEntries(
                Object.entries(workloads).flatMap(([name, workload]) =>
                    workload.strategy === "blueGreen" && workload.alb?.weights
                        ? [[name, { active: workload.active, colours: coloursOf(workload) }]]
                        : [],
                ),
            ),
        },
    };
}

/** Colours of a workload that have a release. */
function coloursOf({ releases }: Extract<ResolvedWorkload, { strategy: "blueGreen" }>) {
    return COLOURS.filter((colour) => releases[colour]);
}

function resolveObservability(values: StackValues, observability: ObservabilityValues) {
    const { interval, workloads } = observability.metrics;
    return {
        ...observability,
        ...eksOf(values),
        fluentBitImage: imageOf(values, "fluentBit"),
        collectorImage: imageOf(values, "collector"),
        probePaths: probePathsOf(values),
        metrics: {
            interval,
            /** Metrics endpoint of each service. */
            services: Object.fromEntries(
                workloads.map((name) => {
                    const { port, health } = required(
                        getOwn(values.workloads, name),
                        `mcp:workloads.${name}`,
                    );
                    return [name, { port, path: health.metrics }];
                }),
            ),
        },
    };
}

/** Paths of MCP Server that only checks request, no users. */
function probePathsOf({ workloads, health: checked }: StackValues): string[] {
    const { health } = getOwn(workloads, SERVER) ?? {};
    const paths = [health?.live, health?.ready, health?.metrics, getOwn(checked?.paths ?? {}, SERVER)];
    return [...new Set(paths.flatMap((path) => path ?? []))];
}

/** Requirements of a release before it starts, and its stakeholders. Section 3.1. */
function resolveReleaseApproval(values: StackValues): {
    validation: { stack: string } | { unvalidated: string };
    stakeholders: { addresses: string[]; cluster: string } | { unannounced: string };
} {
    const { validatedBy: stack, unvalidated, stakeholders, unannounced } = values.checklist;
    return {
        validation:
            stack === undefined
                ? { unvalidated: required(unvalidated, "mcp:checklist.unvalidated") }
                : { stack },
        stakeholders:
            stakeholders === undefined
                ? { unannounced: required(unannounced, "mcp:checklist.unannounced") }
                : { addresses: stakeholders, cluster: eksOf(values).cluster },
    };
}

function resolveOperations(values: StackValues, workloads: Record<string, ResolvedWorkload>) {
    const { operations, disabledTools, health } = values;
    const { diagnostics, clearJwksCache } = operations;
    const server = () => required(getOwn(workloads, DEBUG.app), `mcp:workloads.${DEBUG.app}`);
    return {
        diagnostics:
            diagnostics === undefined
                ? undefined
                : {
                      run: diagnostics,
                      port: server().port,
                      metrics: server().health.metrics,
                      probes: externalProbes(required(health, "mcp:health")),
                      images: { node: imageOf(values, "node"), postgres: optionalImage(values, "postgres") },
                  },
        clearJwksCache:
            clearJwksCache === undefined ? undefined : { run: clearJwksCache, port: server().port },
        disabledTools:
            disabledTools.length === 0
                ? undefined
                : { tools: disabledTools, api: required(adminApiOf(values), "mcp:ingress.hosts") },
    };
}
