import { CompositeAlarm } from "@pulumi/aws/cloudwatch/compositeAlarm";
import { MetricAlarm, type MetricAlarmArgs } from "@pulumi/aws/cloudwatch/metricAlarm";
import { all, ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { SEVERITIES, type Severity, SEVERITY_MATRIX } from "../../runbook/numbers";
import { type Alarm, conditionOf, inWords, SILENCE } from "./alarm";

/** Arguments of {@link Alarms}. */
export interface AlarmsArgs {
    alarms: readonly Alarm[];
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
 * them does. Whoever is told that an alarm rings is told when it is over. Section 4.1.
 */
export class Alarms extends ComponentResource {
    constructor(name: string, { alarms, topics, actions }: AlarmsArgs, opts?: ComponentResourceOptions) {
        super("mcp:observability:Alarms", name, {}, opts);

        const declare = (alarm: Alarm): MetricAlarm => {
            const { id, severity, silence } = alarm;
            return new MetricAlarm(
                `${name}-${id}`,
                {
                    name: `${name}-${id}`,
                    alarmDescription: describe(alarm),
                    ...conditionArgs(alarm),
                    treatMissingData: SILENCE[silence],
                    alarmActions: actions[severity],
                    okActions: [topics[severity]],
                    tags: tagsOf(severity),
                },
                { parent: this },
            );
        };
        for (const severity of SEVERITIES) {
            const own = alarms.filter((alarm) => alarm.severity === severity).map(declare);
            if (own.length > 0) {
                declareSum(`${name}-${severity.toLowerCase()}`, severity, own, this);
            }
        }

        this.registerOutputs();
    }
}

/** Rings while any of a severity's alarms does. It tells nobody: each of them has its own say. */
function declareSum(
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
    return `${severity} ${impact}. Respond within ${inWords(responseMinutes)}.`;
}

function tagsOf(severity: Severity): Record<string, string> {
    return { severity, "response-minutes": String(SEVERITY_MATRIX[severity].responseMinutes) };
}

function conditionArgs(alarm: Alarm): MetricAlarmArgs {
    const { watched, comparison, threshold, minutes, periods = 1, silence } = alarm;
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
