import { AlarmMuteRule } from "@pulumi/aws/cloudwatch/alarmMuteRule";
import { CompositeAlarm, type CompositeAlarmArgs } from "@pulumi/aws/cloudwatch/compositeAlarm";
import { MetricAlarm, type MetricAlarmArgs } from "@pulumi/aws/cloudwatch/metricAlarm";
import {
    all,
    ComponentResource,
    type ComponentResourceOptions,
    type Input,
    type Resource,
} from "@pulumi/pulumi";
import { SEVERITIES, type Severity, SEVERITY_MATRIX, TIME_ZONE } from "../../core/numbers";
import { type Alarm, conditionOf, formatMinutes, type MaintenanceWindow, MISSING_DATA } from "./alarm";
import { INCIDENTS } from "./incidentGroups";
import {
    EXTENSION_SECONDS,
    type Incident,
    incidentsOf,
    partsOf,
    rings,
    ruleOf,
    WAIT_SECONDS,
} from "./incidents";

/** When the actions of alarms that maintenance triggers are muted. */
export interface Mute {
    /** Suffix of its name. */
    name: string;
    window: MaintenanceWindow;
    /** Start: `cron(…)` with five fields, or `at(…)`, in the runbook's time zone. */
    when: string;
    /** Duration, in minutes. */
    minutes: number;
    /** The only year in which it applies. Default: every year. */
    year?: number;
}

/** Arguments of {@link Alarms}. */
export interface AlarmsArgs {
    alarms: readonly Alarm[];
    /** Mute windows of the alarms that maintenance triggers. */
    mutes: readonly Mute[];
    /** Prefix of the alarms' names, and region of the commands in their messages. */
    platform: string;
    region: string;
    /** URL of the folder with the runbook's pages, with a final slash. Default: the repository's `docs/`. */
    pages?: string | undefined;
    /** URL of the dashboard. Default: none. */
    dashboard?: string | undefined;
    /** ARN of each severity's topic. */
    topics: Record<Severity, Input<string>>;
    /** Actions of an alarm of each severity when it starts to fire. */
    actions: Record<Severity, Input<string>[]>;
}

const OPERATORS: Readonly<Record<Alarm["comparison"], string>> = {
    ">": "GreaterThanThreshold",
    ">=": "GreaterThanOrEqualToThreshold",
    "<": "LessThanThreshold",
    "<=": "LessThanOrEqualToThreshold",
};

/** Time until a monitored resource exists, in minutes: a database takes the longest. */
const INSTALL_MINUTES = 120;

/** Maximum wait of an alarm for its first data, in minutes. */
const LONGEST_WARM_UP = 2 * 24 * 60;

/** Maximum number of alarms in a composite alarm or a mute rule. */
const MOST_NAMES = 100;

/**
 * Alarms from a table, named after the component and their ids. Alarms with one cause form one incident, which notifies
 * and opens one OpsItem; the others notify by themselves. For each severity, a composite alarm fires while any of its
 * alarms does. Alarms that maintenance triggers are muted during it. Sections 4.1, 4.2 and 5.1.
 */
export class Alarms extends ComponentResource {
    constructor(name: string, args: AlarmsArgs, opts?: ComponentResourceOptions) {
        super("mcp:observability:Alarms", name, {}, opts);
        const { alarms, mutes, topics, actions } = args;

        const declared = new Map(
            alarms.map((alarm) => {
                const { id, severity, incident, missingData } = alarm;
                const resource = new MetricAlarm(
                    `${name}-${id}`,
                    {
                        name: `${name}-${id}`,
                        alarmDescription: describe(alarm, args),
                        ...conditionArgs(alarm),
                        treatMissingData: MISSING_DATA[missingData],
                        ...(incident === undefined && {
                            alarmActions: actions[severity],
                            okActions: [topics[severity]],
                        }),
                        tags: tagsOf(severity),
                    },
                    { parent: this },
                );
                return [id, resource] as const;
            }),
        );
        this.declareIncidents(name, args, declared);

        const those = (which: (alarm: Alarm) => boolean) =>
            alarms.filter(which).map(({ id }) => declared.get(id)!);
        for (const severity of SEVERITIES) {
            const own = those((alarm) => alarm.severity === severity);
            partsOf(own, MOST_NAMES).forEach((part, index) => {
                declareSeverityComposite(
                    numbered(`${name}-${severity.toLowerCase()}`, index),
                    severity,
                    part,
                    this,
                );
            });
        }
        for (const mute of mutes) {
            const own = those(({ mutedIn = [] }) => mutedIn.includes(mute.window));
            partsOf(own, MOST_NAMES).forEach((part, index) => {
                declareMute(numbered(`${name}-${mute.name}`, index), mute, part, this);
            });
        }

        this.registerOutputs();
    }

    private declareIncidents(name: string, args: AlarmsArgs, alarms: ReadonlyMap<string, MetricAlarm>): void {
        const composites = new Map<string, CompositeAlarm>();
        const declare = (
            id: string,
            own: Partial<CompositeAlarmArgs> & { alarmRule: string },
            after: Resource[],
        ) => new CompositeAlarm(id, { alarmName: id, ...own }, { parent: this, dependsOn: after });
        for (const incident of incidentsOf(args.alarms)) {
            const { id, severity, members, suppressors } = incident;
            const known = suppressors.map((suppressor) => composites.get(suppressor)!);
            // A composite alarm has one suppressor: several are combined in another composite alarm.
            const any =
                known.length < 2
                    ? known[0]
                    : declare(
                          `${name}-${id}-explained`,
                          {
                              alarmDescription: `Fires while an incident that explains ${id} does. It has no actions.`,
                              alarmRule: suppressors.map((each) => rings(name, each)).join(" OR "),
                              tags: tagsOf(severity),
                          },
                          known,
                      );
            const composite = declare(
                `${name}-${id}`,
                {
                    alarmDescription: describeIncident(incident, args),
                    alarmRule: ruleOf(incident, name),
                    alarmActions: args.actions[severity],
                    okActions: [args.topics[severity]],
                    tags: tagsOf(severity),
                    ...(any !== undefined && {
                        actionsSuppressor: {
                            alarm: any.alarmName,
                            waitPeriod: WAIT_SECONDS,
                            extensionPeriod: EXTENSION_SECONDS,
                        },
                    }),
                },
                members.flatMap(({ id: member, confirmedBy }) =>
                    [member, confirmedBy].flatMap((each) => (each === undefined ? [] : [alarms.get(each)!])),
                ),
            );
            composites.set(id, composite);
        }
    }
}

/** The first has the plain name: few stacks need a second. */
function numbered(name: string, index: number): string {
    return index === 0 ? name : `${name}-${index + 1}`;
}

/** Fires while any alarm of a severity does. It has no actions. */
function declareSeverityComposite(
    name: string,
    severity: Severity,
    alarms: readonly MetricAlarm[],
    parent: ComponentResource,
): void {
    new CompositeAlarm(
        name,
        {
            alarmName: name,
            alarmDescription: `${titleOf(severity)} Rings while any alarm of this severity does.`,
            alarmRule: all(alarms.map((alarm) => alarm.name)).apply((names) =>
                names.map((each) => `ALARM("${each}")`).join(" OR "),
            ),
            tags: tagsOf(severity),
        },
        { parent },
    );
}

/** Alarms still fire; their actions are muted. An alarm that still fires at the end notifies then. */
function declareMute(
    name: string,
    { window, when, minutes, year }: Mute,
    alarms: readonly MetricAlarm[],
    parent: ComponentResource,
): void {
    new AlarmMuteRule(
        name,
        {
            name,
            description: `Section 5.1, ${window}: an alarm that still fires at its end notifies then`,
            // AWS returns a duration in this form; another form would show a difference in each update.
            rule: { schedule: { expression: when, duration: isoDuration(minutes), timezone: TIME_ZONE } },
            muteTargets: { alarmNames: alarms.map((alarm) => alarm.name) },
            ...(year !== undefined && {
                // December 31 is in no month's first week, in any time zone.
                startDate: `${year - 1}-12-31T00:00:00Z`,
                expireDate: `${year}-12-31T00:00:00Z`,
            }),
        },
        { parent },
    );
}

/** A duration in the canonical form of ISO 8601: `PT4H`, `PT1H30M`. */
function isoDuration(minutes: number): string {
    const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
    return `PT${hours === 0 ? "" : `${hours}H`}${rest === 0 ? "" : `${rest}M`}`;
}

/** Where to continue from an alarm. */
type Links = Pick<AlarmsArgs, "pages" | "dashboard">;

function linksOf(procedure: string, { pages, dashboard }: Links): string[] {
    return [
        `Procedure: ${pages ?? "docs/"}runbook.md#${procedure}`,
        ...(dashboard === undefined ? [] : [`Dashboard: ${dashboard}`]),
    ];
}

/** Details in an incident's message. */
function describeIncident({ name, severity }: Incident, args: AlarmsArgs): string {
    const { title, procedure } = INCIDENTS[name];
    return [
        titleOf(severity),
        `${title}.`,
        ...linksOf(procedure, args),
        "First command, which alarms ring and why:",
        `aws cloudwatch describe-alarms --region ${args.region} --state-value ALARM --alarm-name-prefix ${args.platform}- --alarm-types MetricAlarm --query 'MetricAlarms[].[AlarmName,StateReason]' --output text`,
    ].join("\n");
}

/** Details in a message that wakes someone up. */
function describe(alarm: Alarm, links: Links): string {
    return [
        titleOf(alarm.severity),
        alarm.meaning,
        `Likely cause: ${alarm.cause}`,
        `What helps: ${alarm.resolution}`,
        ...linksOf(alarm.procedure, links),
        `Rings on: ${conditionOf(alarm)}`,
    ].join("\n");
}

function titleOf(severity: Severity): string {
    const { impact, responseMinutes } = SEVERITY_MATRIX[severity];
    return `${severity} ${impact}. Respond within ${formatMinutes(responseMinutes)}.`;
}

function tagsOf(severity: Severity): Record<string, string> {
    return { severity, "response-minutes": String(SEVERITY_MATRIX[severity].responseMinutes) };
}

function conditionArgs(alarm: Alarm): MetricAlarmArgs {
    const { metric: watched, comparison, threshold, minutes, periods = 1, missingData: silence } = alarm;
    const period = minutes * 60;
    const common = {
        comparisonOperator: OPERATORS[comparison],
        threshold,
        evaluationPeriods: periods,
        // A new source cannot report yet. This suppression ends with the first data.
        ...(silence === "heartbeat" && {
            warmUpConfiguration: {
                warmUpPeriodDurationInMinutes: Math.min(INSTALL_MINUTES + minutes * periods, LONGEST_WARM_UP),
            },
        }),
    };
    if (!("expression" in watched)) {
        const { namespace, name, dimensions, statistic } = watched;
        return { ...common, namespace, metricName: name, dimensions, statistic, period };
    }
    return {
        ...common,
        metricQueries: [
            { id: "result", expression: watched.expression, label: alarm.id, returnData: true },
            ...Object.entries(watched.metrics).map(([id, { namespace, name, dimensions, statistic }]) => ({
                id,
                metric: { namespace, metricName: name, dimensions, stat: statistic, period },
            })),
        ],
    };
}
