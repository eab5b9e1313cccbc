import { AlarmMuteRule } from "@pulumi/aws/cloudwatch/alarmMuteRule";
import { CompositeAlarm } from "@pulumi/aws/cloudwatch/compositeAlarm";
import { MetricAlarm, type MetricAlarmArgs } from "@pulumi/aws/cloudwatch/metricAlarm";
import { all, ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { SEVERITIES, type Severity, SEVERITY_MATRIX, TIME_ZONE } from "../../core/numbers";
import { type Alarm, conditionOf, formatMinutes, type MaintenanceWindow, MISSING_DATA } from "./alarm";

/** When the alarms that a window's work sets off tell nobody. */
export interface Mute {
    /** Ends its name. */
    name: string;
    window: MaintenanceWindow;
    /** When it begins: `cron(…)` of five fields, or `at(…)`, in the zone of the runbook. */
    when: string;
    /** For how long, in minutes. */
    minutes: number;
    /** The only year it is true of. Default: any. */
    year?: number;
}

/** Arguments of {@link Alarms}. */
export interface AlarmsArgs {
    alarms: readonly Alarm[];
    /** When those of them that maintenance sets off are muted. */
    mutes: readonly Mute[];
    /** ARN of each severity's topic. */
    topics: Record<Severity, Input<string>>;
    /** What an alarm of each severity does when it begins to ring. */
    actions: Record<Severity, Input<string>[]>;
}

const OPERATORS: Readonly<Record<Alarm["comparison"], string>> = {
    ">": "GreaterThanThreshold",
    ">=": "GreaterThanOrEqualToThreshold",
    "<": "LessThanThreshold",
    "<=": "LessThanOrEqualToThreshold",
};

/** Time that what is watched may need to be made, in minutes: a database takes the longest. */
const INSTALL_MINUTES = 120;

/** How long an alarm can wait at most for its first data, in minutes. */
const LONGEST_WARM_UP = 2 * 24 * 60;

/**
 * Alarms from a table, named after the component and their ids, and for each severity one that rings while any of
 * them does. Whoever is told that an alarm rings is told when it is over. What maintenance sets off by itself is muted
 * while it lasts. Sections 4.1 and 5.1.
 */
export class Alarms extends ComponentResource {
    constructor(
        name: string,
        { alarms, mutes, topics, actions }: AlarmsArgs,
        opts?: ComponentResourceOptions,
    ) {
        super("mcp:observability:Alarms", name, {}, opts);

        const declare = (alarm: Alarm): MetricAlarm => {
            const { id, severity, missingData: silence } = alarm;
            return new MetricAlarm(
                `${name}-${id}`,
                {
                    name: `${name}-${id}`,
                    alarmDescription: describe(alarm),
                    ...conditionArgs(alarm),
                    treatMissingData: MISSING_DATA[silence],
                    alarmActions: actions[severity],
                    okActions: [topics[severity]],
                    tags: tagsOf(severity),
                },
                { parent: this },
            );
        };
        const declared = new Map(alarms.map((alarm) => [alarm, declare(alarm)]));
        const those = (which: (alarm: Alarm) => boolean) =>
            [...declared].flatMap(([alarm, resource]) => (which(alarm) ? [resource] : []));
        for (const severity of SEVERITIES) {
            const own = those((alarm) => alarm.severity === severity);
            if (own.length > 0) {
                declareSeverityComposite(`${name}-${severity.toLowerCase()}`, severity, own, this);
            }
        }
        for (const mute of mutes) {
            const own = those(({ mutedIn = [] }) => mutedIn.includes(mute.window));
            if (own.length > 0) {
                declareMute(`${name}-${mute.name}`, mute, own, this);
            }
        }

        this.registerOutputs();
    }
}

/** Rings while any of a severity's alarms does. It tells nobody: each of them has its own say. */
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

/** They ring as always, and tell nobody. What still rings at the end is told then. */
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
            description: `Section 5.1, ${window}: what still rings when it ends is told then`,
            rule: { schedule: { expression: when, duration: `PT${minutes}M`, timezone: TIME_ZONE } },
            muteTargets: { alarmNames: alarms.map((alarm) => alarm.name) },
            ...(year !== undefined && {
                // No month's first week has a 31st of December, in whichever zone these are read.
                startDate: `${year - 1}-12-31T00:00:00Z`,
                expireDate: `${year}-12-31T00:00:00Z`,
            }),
        },
        { parent },
    );
}

/** What somebody needs who is woken by it. */
function describe(alarm: Alarm): string {
    return [
        titleOf(alarm.severity),
        alarm.meaning,
        `Likely cause: ${alarm.cause}`,
        `What helps: ${alarm.resolution}`,
        `Procedure: docs/runbook.md#${alarm.procedure}`,
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
        // What is being installed cannot report yet. It ends as soon as there is data.
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
