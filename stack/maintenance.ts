import { MaintenanceWindows, type WindowArgs } from "../components/maintenance/maintenanceWindows";
import { UpgradeCheck } from "../components/maintenance/upgradeCheck";
import { pinned } from "../config/images";
import { type MaintenanceValues } from "../config/maintenance";
import { everyWeek, firstOfMonth, inRunbookZone, minutesOf } from "../core/calendar";
import { DATABASE_WINDOW } from "../core/numbers";
import { type PlatformContext } from "./platform";
import { type Incidents } from "./incidents";

/** Declares what is done by the calendar, if the stack has one. Section 5.1. */
export function declareMaintenance(context: PlatformContext, { topics, keyArn }: Incidents): void {
    const { values, providers, name, logDays } = context;
    const { maintenance, database } = values;
    if (maintenance === undefined) {
        return;
    }
    const { window, patchGroup, ...patches } = maintenance.patches;
    new MaintenanceWindows(
        `${name}-maintenance`,
        {
            ...values.aws,
            patches: {
                ...patches,
                cron: everyWeek(window),
                hours: minutesOf(window) / 60,
                patchGroup: patchGroup ?? name,
                logGroup: `/mcp/${values.environment}/patches`,
                logDays,
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

/** From when an upgrade is planned on, every day at the time when it is to begin. */
function declareUpgradeCheck(
    { values, providers, name, labels, namespace, metrics }: PlatformContext,
    { start, version }: NonNullable<MaintenanceValues["upgrade"]>,
): void {
    const { aws, kubernetes, images, jobs } = values;
    const [hour, minute] = inRunbookZone(start).slice(11).split(":").map(Number);
    new UpgradeCheck(
        "mcp-upgrade-check",
        {
            namespace: namespace.namespace,
            namespaceName: name,
            labels,
            cluster: kubernetes.cluster!,
            region: aws.region,
            metrics,
            apiServer: kubernetes.apiServer,
            version,
            schedule: `${minute} ${hour} * * *`,
            images: { node: pinned(images, jobs.images.node), aws: pinned(images, jobs.images.aws!) },
        },
        { providers: { aws: providers.aws, kubernetes: providers.kubernetes } },
    );
}

/** Windows in which something else than the patches is done. */
function windowsOf({ upgrade }: MaintenanceValues, hasDatabase: boolean): Record<string, WindowArgs> {
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
