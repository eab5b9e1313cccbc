import { type PodResources } from "../components/kubernetes/pod";
import { MaintenanceWindows, type WindowArgs } from "../components/maintenance/maintenanceWindows";
import { UPGRADE_PODS, UpgradeCheck } from "../components/maintenance/upgradeCheck";
import { required } from "../core/required";
import { type ResolvedStack } from "../config/resolve";
import { everyWeek, firstOfMonth, inRunbookZone, minutesOf } from "../core/calendar";
import { DATABASE_WINDOW } from "../core/numbers";
import { type PlatformContext } from "./platform";
import { type Incidents } from "./incidents";

/** Most pods at the same time. */
export function maintenancePods({ maintenance }: ResolvedStack): readonly PodResources[] {
    return maintenance?.upgrade === undefined ? [] : UPGRADE_PODS;
}

/** Declares what is done by the calendar, if the stack has one. Section 5.1. */
export function declareMaintenance(context: PlatformContext, incidents: Incidents | undefined): void {
    const { stack, providers } = context;
    const { name, maintenance, database } = stack;
    if (maintenance === undefined) {
        return;
    }
    const { topics, keyArn } = required(incidents, "mcp:incident");
    const { window, patchGroup, restart, operatingSystem, approveAfterDays } = maintenance.patches;
    new MaintenanceWindows(
        `${name}-maintenance`,
        {
            ...stack.aws,
            patches: {
                operatingSystem,
                approveAfterDays,
                restart,
                cron: everyWeek(window),
                end: window.end,
                hours: minutesOf(window) / 60,
                patchGroup: patchGroup ?? name,
                logGroup: stack.logs.patches,
                logDays: stack.logDays,
            },
            windows: windowsOf(maintenance, database !== undefined),
            topics: { begun: topics.P4, failed: topics.P3, keyArn },
        },
        { providers: { aws: providers.aws } },
    );
    if (maintenance.upgrade !== undefined) {
        declareUpgradeCheck(context, maintenance.upgrade);
    }
}

type Maintenance = NonNullable<ResolvedStack["maintenance"]>;

/** From when an upgrade is planned on, every day at the time when it is to begin. */
function declareUpgradeCheck(
    { stack, providers, labels, namespace }: PlatformContext,
    { start, version, cluster, region, images }: NonNullable<Maintenance["upgrade"]>,
): void {
    const [hour, minute] = inRunbookZone(start).slice(11).split(":").map(Number);
    new UpgradeCheck(
        "mcp-upgrade-check",
        {
            namespace: namespace.namespace,
            namespaceName: stack.name,
            labels,
            cluster,
            region,
            metrics: stack.metrics,
            apiServer: stack.kubernetes.apiServer,
            version,
            schedule: `${minute} ${hour} * * *`,
            images,
        },
        { providers: { aws: providers.aws, kubernetes: providers.kubernetes } },
    );
}

/** Windows in which something else than the patches is done. */
function windowsOf({ upgrade }: Maintenance, hasDatabase: boolean): Record<string, WindowArgs> {
    return {
        ...(hasDatabase && {
            database: {
                activity: "database maintenance",
                when: `cron(${firstOfMonth(DATABASE_WINDOW)})`,
                minutes: minutesOf(DATABASE_WINDOW),
            },
        }),
        ...(upgrade && {
            upgrade: {
                activity: "Kubernetes upgrade",
                when: `at(${inRunbookZone(upgrade.start)}:00)`,
                minutes: upgrade.duration / 60,
            },
        }),
    };
}
