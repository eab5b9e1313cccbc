import { Alarms, type Mute } from "../components/observability/alarms";
import { type StackValues } from "../config";
import { everyWeekOfFive, firstOfMonthOfFive, inRunbookZone, minutesOf } from "../core/calendar";
import { DATABASE_WINDOW } from "../core/numbers";
import { alarmsOf } from "./alarmTable";
import { type PlatformContext } from "./platform";
import { type Incidents } from "./incidents";

/** Declares the alarms of what the stack declares, and when they are muted. Sections 4.2 and 5.1. */
export function declareAlarms(
    { values, providers: { aws }, name }: PlatformContext,
    incidents: Incidents,
): void {
    new Alarms(
        name,
        { alarms: alarmsOf(values), mutes: mutesOf(values), ...incidents },
        { providers: { aws } },
    );
}

function mutesOf({ maintenance, database }: StackValues): Mute[] {
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
