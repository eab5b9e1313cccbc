import { type Alarm } from "../alarm";

/** A daily run is late this long after the last one, plus its own maximum duration. In hours. */
const DAILY_HOURS = 24 + 1;

/** Arguments of {@link maintenanceAlarms}. */
export interface MaintenanceAlarmsArgs {
    /** Namespace of the heartbeats of completed runs. */
    namespace: string;
    /** Maximum duration of the database's maintenance, in hours. Default: the stack has none. */
    databaseHours: number | undefined;
    /** Whether a Kubernetes upgrade is planned. */
    upgrade: boolean;
}

/** Scheduled maintenance that was not completed or did not start. Section 5.1. */
export function maintenanceAlarms({ namespace, databaseHours, upgrade }: MaintenanceAlarmsArgs): Alarm[] {
    const missed = (
        task: string,
        hours: number,
        rest: Pick<Alarm, "id" | "severity" | "meaning" | "cause" | "resolution" | "procedure">,
    ): Alarm => ({
        ...rest,
        metric: { namespace, name: "TaskSucceeded", dimensions: { Task: task }, statistic: "Sum" },
        comparison: "<",
        threshold: 1,
        minutes: 60,
        periods: DAILY_HOURS + hours,
        missingData: "heartbeat",
    });
    return [
        ...(databaseHours === undefined
            ? []
            : [
                  missed("mcp-db-maintenance", databaseHours, {
                      id: "database-maintenance-failed",
                      // The same severity as failed patches.
                      severity: "P3",
                      meaning:
                          "The maintenance of the database was not completed, or the daily check of its window does " +
                          "not run. The next check ends the alarm without making up for the maintenance.",
                      cause: "The dump before it failed, the window was too short for the indexes, or its pod found no room; it was tried until the window closed.",
                      resolution:
                          "kubectl logs -l mcp.msil.com/task=mcp-db-maintenance --all-containers says which; then run it by hand, with a reason.",
                      procedure: "database-maintenance",
                  }),
              ]),
        ...(upgrade
            ? [
                  missed("mcp-upgrade-check", 1, {
                      id: "upgrade-check-failed",
                      // Nothing is broken yet, and there is time until the upgrade.
                      severity: "P4",
                      meaning:
                          "An obstacle blocks the planned Kubernetes upgrade, or the daily check does not run.",
                      cause: "Nodes too old for the version, a disruption budget that lets no pod go, or an API that will be gone.",
                      resolution:
                          "kubectl logs -l mcp.msil.com/task=mcp-upgrade-check says which; put it right, or plan another day.",
                      procedure: "kubernetes-upgrade",
                  }),
              ]
            : []),
    ];
}
