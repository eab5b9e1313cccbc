import { SEVERITIES, type Severity } from "../../core/numbers";
import { type Alarm } from "./alarm";
import { type IncidentGroup, type IncidentName, INCIDENTS } from "./incidentGroups";

/** One incident: the alarms of one group and severity. */
export interface Incident {
    /** Suffix of its name: `incident-database-p1`. */
    id: string;
    name: IncidentName;
    severity: Severity;
    /** Its alarms; each one triggers it. */
    members: readonly Alarm[];
    /**
     * Ids of the incidents that explain it: while one of them fires, its actions are suppressed. Those come earlier in
     * the list.
     */
    suppressors: readonly string[];
}

/**
 * How long an incident waits for one that explains it, in seconds. Alarms of one cause fire at different times: the
 * slowest explaining alarm needs five minutes.
 */
export const WAIT_SECONDS = 180;

/** How long it stays suppressed after the explaining incident ends, in seconds, because recovery is gradual. */
export const EXTENSION_SECONDS = 300;

const rank = (severity: Severity) => SEVERITIES.indexOf(severity);

/**
 * The incidents of an alarm table, ordered so that an explaining incident comes first.
 *
 * @throws when incidents explain each other: all of them would be silent.
 */
export function incidentsOf(alarms: readonly Alarm[]): Incident[] {
    const found = (Object.keys(INCIDENTS) as IncidentName[]).flatMap((name) =>
        SEVERITIES.flatMap((severity) => {
            const members = alarms.filter(
                (alarm) =>
                    alarm.incident === name && alarm.severity === severity && alarm.isCondition !== true,
            );
            const id = `incident-${name}-${severity.toLowerCase()}`;
            return members.length === 0 ? [] : [{ id, name, severity, members }];
        }),
    );
    let left: Incident[] = found.map((incident) => {
        const { explainedBy, coveredBy }: IncidentGroup = INCIDENTS[incident.name];
        const suppressors = found.filter((other) => {
            const more = rank(incident.severity) - rank(other.severity);
            return (
                (other.name === incident.name && more > 0) ||
                (explainedBy.includes(other.name) && more >= 0) ||
                (coveredBy.includes(other.name) && more > 0)
            );
        });
        return { ...incident, suppressors: suppressors.map(({ id }) => id) };
    });
    const ordered: Incident[] = [];
    while (left.length > 0) {
        const known = new Set(ordered.map(({ id }) => id));
        const next = left.filter(({ suppressors }) => suppressors.every((id) => known.has(id)));
        if (next.length === 0) {
            throw new Error(`incidents explain each other: ${left.map(({ id }) => id).join(", ")}`);
        }
        ordered.push(...next);
        left = left.filter((incident) => !next.includes(incident));
    }
    return ordered;
}

/** Its alarm rule, with the full names of its alarms. */
export function ruleOf({ members }: Incident, platform: string): string {
    return members
        .map(({ id, confirmedBy }) =>
            confirmedBy === undefined
                ? rings(platform, id)
                : `(${rings(platform, id)} AND ${rings(platform, confirmedBy)})`,
        )
        .join(" OR ");
}

/** Condition that an alarm fires, as composite alarms express it. */
export function rings(platform: string, id: string): string {
    return `ALARM("${platform}-${id}")`;
}

/** Splits items into chunks: composite alarms and mute rules accept 100 names each. */
export function partsOf<T>(items: readonly T[], most: number): T[][] {
    const parts: T[][] = [];
    for (let at = 0; at < items.length; at += most) {
        parts.push(items.slice(at, at + most));
    }
    return parts;
}
