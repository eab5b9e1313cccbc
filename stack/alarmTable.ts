import { type Alarm, type Metric, share } from "../components/observability/alarm";
import { type IncidentName } from "../components/observability/incidentGroups";
import { type Objective, sloAlarms } from "../components/observability/alarms/slo";
import { applicationAlarms } from "../components/observability/alarms/application";
import { archiveAlarms } from "../components/observability/alarms/archive";
import {
    cacheBackupAlarm,
    databaseBackupAlarms,
    dumpAlarms,
} from "../components/observability/alarms/backups";
import { bucketCopyAlarms, snapshotCopyAlarms } from "../components/observability/alarms/copies";
import { cacheAlarms } from "../components/observability/alarms/cache";
import { databaseAlarms, idleConnectionsAlarm } from "../components/observability/alarms/database";
import { escalationAlarms } from "../components/observability/alarms/escalation";
import { deliveryAlarms } from "../components/observability/alarms/delivery";
import { maintenanceAlarms } from "../components/observability/alarms/maintenance";
import { podAlarms } from "../components/observability/alarms/pods";
import { trafficAlarms } from "../components/observability/alarms/traffic";
import { healthAlarms } from "../components/observability/alarms/health";
import { type ResolvedStack, type ResolvedWorkload } from "../config/resolve";
import { COMPLETION_WINDOW_MINUTES, longestGap } from "../core/snapshotHours";
import { mebibytes } from "../core/quantities";
import { minutesOf } from "../core/calendar";
import {
    COLOURS,
    DATABASE_WINDOW,
    HEALTH_MATRIX,
    LEVELS,
    SERVER,
    SEVERITIES,
    SLOW_REQUEST_MILLISECONDS,
} from "../core/numbers";

/** All alarms of a stack, as data: only for what it declares. */
export function alarmsOf(stack: ResolvedStack): Alarm[] {
    const {
        name,
        metrics,
        database,
        cache,
        archive,
        backups,
        maintenance,
        health,
        observability,
        workloads,
        alarms,
    } = stack;
    const found = escalationAlarms({
        escalationArn: stack.escalation.machineArn,
        incidentsArn: stack.escalation.incidentsMachineArn,
    });
    found.push(...deliveryAlarms({ platform: name, rules: eventRulesOf(stack), topics: topicsOf() }));
    if (observability !== undefined) {
        found.push(
            ...trafficAlarms({
                namespace: metrics,
                minimumRequests: alarms.minimumRequests,
                refusedSignIns: alarms.refusedSignIns,
                quietMinutes: alarms.noTraffic,
            }),
        );
        if (observability.metrics.services[SERVER] !== undefined) {
            found.push(
                ...applicationAlarms({
                    namespace: metrics,
                    service: SERVER,
                    minimumRequests: alarms.minimumRequests,
                    ...alarms.application,
                }),
            );
        }
        if (observability.podMetrics !== false) {
            found.push(
                ...podAlarms({
                    cluster: observability.cluster,
                    namespace: name,
                    deployments: deploymentsOf(workloads),
                    ...alarms.pods,
                }),
            );
        }
    }
    found.push(...sloAlarms(objectivesOf(stack)));
    if (health !== undefined) {
        found.push(
            ...healthAlarms({
                namespace: metrics,
                probes: health.probes,
                outside: health.outside,
                latency: alarms.apimLatency,
                credentialDays: health.credentials?.maxAge,
            }),
        );
    }
    if (database !== undefined) {
        const { freeMemory, freeStorage, idle, ...limits } = alarms.database;
        found.push(
            ...databaseAlarms({
                identifier: database.inUse,
                freeMemory: mebibytes(freeMemory),
                freeStorage: (freeStorage / 100) * database.storage.initial,
                ...limits,
            }),
            ...databaseBackupAlarms({
                vaults: stack.databaseSnapshots.vaults,
                longestGap: longestGap(database.openHours),
                // The hour of the event may be partly over.
                slack: COMPLETION_WINDOW_MINUTES / 60 + 1,
            }),
        );
        if (health !== undefined) {
            const most = Math.round((idle / 100) * limits.connections);
            found.push(idleConnectionsAlarm({ namespace: metrics, most }));
        }
    }
    if (backups !== undefined) {
        found.push(...dumpAlarms({ namespace: metrics, database: database !== undefined }));
    }
    const maintained = database !== undefined && backups !== undefined;
    found.push(
        ...maintenanceAlarms({
            namespace: metrics,
            databaseHours: maintained ? minutesOf(DATABASE_WINDOW) / 60 : undefined,
            upgrade: maintenance?.upgrade !== undefined,
        }),
    );
    if (cache !== undefined) {
        found.push(
            ...cacheAlarms({ group: cache.inUse, nodes: cache.nodes.length, ...alarms.cache }),
            cacheBackupAlarm({ stateMachineArn: stack.cacheSnapshots.machineArn }),
        );
    }
    if (archive !== undefined) {
        found.push(...archiveAlarms({ name: stack.auditArchive, logGroup: stack.logs.audit }));
    }
    found.push(...copyAlarmsOf(stack));
    return found;
}

/** Copies in the second region. */
function copyAlarmsOf({ copies, database, backups, archive, databaseSnapshots }: ResolvedStack): Alarm[] {
    const buckets = { backups, archive };
    return [
        ...(copies?.snapshots === undefined || database === undefined
            ? []
            : snapshotCopyAlarms({
                  rules: databaseSnapshots.copied,
                  longestGap: longestGap(database.openHours),
                  slack: COMPLETION_WINDOW_MINUTES / 60 + 1,
              })),
        ...(["backups", "archive"] as const).flatMap((kind) => {
            const [source, copy] = [buckets[kind]?.bucket, copies?.[kind]?.bucket];
            return source === undefined || copy === undefined ? [] : bucketCopyAlarms({ kind, source, copy });
        }),
    ];
}

/** Objectives of the workloads, and the metrics of their failures. */
function objectivesOf({ objectives, alarms, health, metrics: namespace }: ResolvedStack): Objective[] {
    const sum = (name: string): Metric => ({ namespace, name, dimensions: {}, statistic: "Sum" });
    const ofRequests = (name: string) => share(sum(name), sum("Requests"), alarms.minimumRequests);
    return Object.entries(objectives).flatMap(([workload, { availability, latency }]): Objective[] => {
        const title = HEALTH_MATRIX[workload]?.title ?? workload;
        const incident: IncidentName = workload === SERVER ? "server" : "services";
        const budget = (promise: number) => Number((100 - promise).toFixed(2));
        const isCounted = workload === SERVER || health === undefined;
        const found: Objective[] = [];
        if (availability !== undefined) {
            const healthy: Metric = {
                namespace,
                name: "Healthy",
                dimensions: { Component: title },
                statistic: "Average",
            };
            found.push({
                id: `${workload}-availability`,
                what: isCounted ? `Requests to ${title} fail` : `${title} is unhealthy`,
                incident,
                budget: budget(availability),
                share: isCounted
                    ? ofRequests("Errors")
                    : { expression: "100 * (1 - healthy)", metrics: { healthy } },
                missingData: isCounted ? "count" : "level",
            });
        }
        if (latency !== undefined) {
            found.push({
                id: `${workload}-latency`,
                what: `Requests to ${title} take longer than ${SLOW_REQUEST_MILLISECONDS / 1000} seconds`,
                incident,
                budget: budget(latency),
                share: ofRequests("SlowRequests"),
                missingData: "count",
            });
        }
        return found;
    });
}

/** Names of the topics for people, without the stack's prefix. Sections 4.1 and 8.1. */
function topicsOf(): string[] {
    return [
        ...SEVERITIES.map((severity) => `incidents-${severity.toLowerCase()}`),
        ...LEVELS.map((level) => `escalation-${level.toLowerCase()}`),
    ];
}

/** Names of the stack's EventBridge rules with a target, without the stack's prefix. */
function eventRulesOf({ database, cache, copies, maintenance }: ResolvedStack): string[] {
    return [
        "escalation-incidents",
        "escalation-failed",
        ...(database === undefined
            ? []
            : ["snapshots-failed", "snapshots-restore", "snapshots-restore-failed"]),
        ...(copies?.snapshots === undefined ? [] : ["snapshots-copy-failed"]),
        ...(cache === undefined ? [] : ["redis-backup-failed"]),
        ...(maintenance === undefined ? [] : ["maintenance-patches-begun", "maintenance-patches-failed"]),
    ];
}

/** Names of the workloads' Deployments, and the maximum pods of each. */
function deploymentsOf(workloads: ResolvedStack["workloads"]): Record<string, number> {
    return Object.fromEntries(
        Object.entries(workloads).flatMap(([name, workload]) =>
            namesOf(name, workload).map((deployment) => [deployment, workload.scaling.max]),
        ),
    );
}

function namesOf(name: string, workload: ResolvedWorkload): string[] {
    return workload.strategy === "rolling"
        ? [name]
        : COLOURS.filter((colour) => workload.releases[colour]).map((colour) => `${name}-${colour}`);
}
