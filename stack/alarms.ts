import { Alarms, type Mute } from "../components/observability/alarms";
import { type ResolvedStack } from "../config/resolve";
import { everyWeekOfFive, firstOfMonthOfFive, inRunbookZone, minutesOf } from "../core/calendar";
import { DATABASE_WINDOW } from "../core/numbers";
import { alarmsOf } from "./alarmTable";
import { type PlatformContext } from "./platform";
import { type Incidents } from "./incidents";

/** Declares the stack's alarms, and their mute windows. Sections 4.2 and 5.1. */
export function declareAlarms(
    { stack, providers }: PlatformContext,
    incidents: Incidents | undefined,
    dashboard: string | undefined,
): void {
    if (incidents === undefined) {
        return;
    }
    new Alarms(
        stack.name,
        {
            alarms: alarmsOf(stack),
            mutes: mutesOf(stack),
            platform: stack.name,
            region: stack.aws.region,
            pages: stack.incident.pages,
            dashboard,
            topics: incidents.topics,
            actions: incidents.actions,
        },
        { providers: { aws: providers.aws } },
    );
}

function mutesOf({ maintenance, database }: ResolvedStack): Mute[] {
    if (maintenance === undefined) {
        return [];
    }
    const { patches, upgrade, mutedYears } = maintenance;
    return [
        {
            name: "muted-patches",
            window: "patches",
            when: `cron(${everyWeekOfFive(patches.window)})`,
            minutes: minutesOf(patches.window),
        },
        ...(database === undefined ? [] : mutedYears).flatMap((year) =>
            firstOfMonthOfFive(DATABASE_WINDOW, year).map(({ day, cron }): Mute => ({
                name: `muted-database-${year}-${day}`,
                window: "database",
                when: `cron(${cron})`,
                minutes: minutesOf(DATABASE_WINDOW),
                year,
            })),
        ),
        ...(upgrade === undefined
            ? []
            : [
                  {
                      name: "muted-upgrade",
                      window: "upgrade",
                      when: `at(${inRunbookZone(upgrade.start)})`,
                      minutes: upgrade.duration / 60,
                  } as const,
              ]),
    ];
}
