import { type PodResources } from "../components/kubernetes/pod";
import { MaintenanceWindows, type WindowArgs } from "../components/maintenance/maintenanceWindows";
import { UPGRADE_PODS, UpgradeCheck } from "../components/maintenance/upgradeCheck";
import { required } from "../core/required";
import { type ResolvedStack } from "../config/resolve";
import { everyWeek, firstOfMonth, inRunbookZone, minutesOf, nthOfMonths } from "../core/calendar";
import { CERTIFICATE_MINUTES, DATABASE_WINDOW } from "../core/numbers";
import { type PlatformContext } from "./platform";
import { type Incidents } from "./incidents";

/** Maximum number of pods at the same time. */
export function maintenancePods({ maintenance }: ResolvedStack): readonly PodResources[] {
    return maintenance?.upgrade === undefined ? [] : UPGRADE_PODS;
}

/** Declares the scheduled maintenance, if the stack has one. Section 5.1. */
export function declareMaintenance(context: PlatformContext, incidents: Incidents | undefined): void {
    const { stack, providers } = context;
    const { name, maintenance } = stack;
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
            windows: windowsOf(stack, maintenance),
            topics: { begun: topics.P4, failed: topics.P3, keyArn },
        },
        { providers: { aws: providers.aws } },
    );
    if (maintenance.upgrade !== undefined) {
        declareUpgradeCheck(context, maintenance.upgrade);
    }
}

type Maintenance = NonNullable<ResolvedStack["maintenance"]>;

/** From the planning of an upgrade, daily at the time of its start. */
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

/** Windows other than that of the patches. */
function windowsOf(
    { name, database, ingress, incident }: ResolvedStack,
    { upgrade, certificates }: Maintenance,
): Record<string, WindowArgs> {
    return {
        ...(ingress && {
            certificates: {
                activity: "certificate rotation",
                when: `cron(${nthOfMonths(certificates, 3, certificates.months)})`,
                minutes: CERTIFICATE_MINUTES,
                reminder: {
                    name: "renewal",
                    when: `cron(${nthOfMonths(certificates, 1, certificates.months)})`,
                    message:
                        `${name}: certificates are rotated in two weeks (${certificates.weekday} ${certificates.start}). ` +
                        `Have the next ones made for ${ingress.hosts.map(({ host }) => host).join(", ")}. ` +
                        `Procedure: ${incident.pages ?? "docs/"}runbook.md#certificate-rotation`,
                },
            },
        }),
        ...(database !== undefined && {
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
