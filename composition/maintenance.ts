import { MaintenanceWindows, type WindowArgs } from "../components/maintenance/maintenanceWindows";
import { type MaintenanceValues } from "../config/maintenance";
import { everyWeek, firstOfMonth, inRunbookZone, minutesOf } from "../config/windows";
import { DATABASE_WINDOW } from "../runbook/numbers";
import { type Foundation } from "./foundation";
import { type Incidents } from "./incidents";

/** Declares what is done by the calendar, if the stack has one. Section 5.1. */
export function declareMaintenance(
    { values, providers: { aws }, name, logDays }: Foundation,
    { topics, keyArn }: Incidents,
): void {
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
        { providers: { aws } },
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
