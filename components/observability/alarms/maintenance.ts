import { type Alarm } from "../alarm";

/** A run of every day is late within this time after the last one, beside what it may take itself. In hours. */
const DAILY_HOURS = 24 + 1;

/** Arguments of {@link maintenanceAlarms}. */
export interface MaintenanceAlarmsArgs {
    /** Namespace of the heartbeats that follow runs which came to their end. */
    namespace: string;
    /** How long the maintenance of the database may take, in hours. Default: the stack has none. */
    databaseHours: number | undefined;
    /** Whether an upgrade of Kubernetes is planned. */
    upgrade: boolean;
}

/** Maintenance by the clock that did not come to its end, or never began. Section 5.1. */
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
                      // As the patches that do not end well.
                      severity: "P3",
                      meaning:
                          "The maintenance of the database did not come to its end, or the daily look at its window does not run. " +
                          "The next look ends the alarm, and makes up for nothing.",
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
                          "Something stands in the way of the Kubernetes upgrade that is planned, or the daily check does not run.",
                      cause: "Nodes too old for the version, a disruption budget that lets no pod go, or an API that will be gone.",
                      resolution:
                          "kubectl logs -l mcp.msil.com/task=mcp-upgrade-check says which; put it right, or plan another day.",
                      procedure: "kubernetes-upgrade",
                  }),
              ]
            : []),
    ];
}
