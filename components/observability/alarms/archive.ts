import { type Alarm, type Metric } from "../alarm";

/** Arguments of {@link archiveAlarms}. */
export interface ArchiveAlarmsArgs {
    /** Name of the delivery stream, and of the subscription that feeds it. */
    name: string;
    /** Log group of the archived events. */
    logGroup: string;
}

/** Age above which an event in transit is late, in seconds. Delivery takes five minutes. */
const LATE_SECONDS = 1800;

/** Share of an hour's events that may be in transit at its end, in percent. */
const GAP_PERCENT = 5;

/** With fewer events in an hour, a single one in transit would exceed that share. */
const FEWEST_EVENTS = 20;

/** Delivery of audit events to the archive. Section 7.1. */
export function archiveAlarms({ name, logGroup }: ArchiveAlarmsArgs): Alarm[] {
    const stream = (metric: string, statistic: Metric["statistic"]): Metric => ({
        namespace: "AWS/Firehose",
        name: metric,
        dimensions: { DeliveryStreamName: name },
        statistic,
    });
    const common = { procedure: "audit-archive", minutes: 5, missingData: "count" } as const;
    const tried =
        `The delivery log next to ${logGroup} shows the errors. Delivery is retried for a day, so nothing ` +
        "is lost before that.";
    return [
        {
            ...common,
            id: "archive-subscription",
            incident: "archive",
            severity: "P2",
            meaning: `Delivery of events of ${logGroup} to the archive is refused.`,
            cause: "The role of the subscription was changed, or the stream is gone.",
            resolution: `Update the stack. What was refused is not sent again: export it from ${logGroup}, where it stays.`,
            metric: {
                namespace: "AWS/Logs",
                name: "DeliveryErrors",
                dimensions: { LogGroupName: logGroup, DestinationType: "Firehose", FilterName: name },
                statistic: "Sum",
            },
            comparison: ">",
            threshold: 0,
        },
        {
            ...common,
            id: "archive-gap",
            incident: "archive",
            severity: "P2",
            meaning: `More than ${GAP_PERCENT} % of the events of ${logGroup} are not sent to the archive.`,
            cause: "The subscription of the log group was removed or filters events.",
            resolution: `Update the stack. What was not sent stays in ${logGroup}: export it from there.`,
            metric: {
                expression: `IF(written >= ${FEWEST_EVENTS}, 100 * (written - FILL(sent, 0)) / written, 0)`,
                metrics: {
                    written: {
                        namespace: "AWS/Logs",
                        name: "IncomingLogEvents",
                        dimensions: { LogGroupName: logGroup },
                        statistic: "Sum",
                    },
                    sent: {
                        namespace: "AWS/Logs",
                        name: "ForwardedLogEvents",
                        dimensions: {
                            LogGroupName: logGroup,
                            DestinationType: "Firehose",
                            FilterName: name,
                        },
                        statistic: "Sum",
                    },
                },
            },
            comparison: ">",
            threshold: GAP_PERCENT,
            minutes: 60,
            periods: 3,
        },
        {
            ...common,
            id: "archive-delivery",
            severity: "P3",
            meaning: "Audit events cannot be written to the archive.",
            cause: "The role of the stream, the policy of the bucket, or their key was changed.",
            resolution: tried,
            metric: stream("DeliveryToS3.Success", "Average"),
            comparison: "<",
            threshold: 1,
            periods: 3,
        },
        {
            ...common,
            id: "archive-delay",
            severity: "P3",
            meaning: `Audit events have been in transit to the archive for more than ${LATE_SECONDS / 60} minutes.`,
            cause: "The archive refuses them, or there are more than the stream takes.",
            resolution: tried,
            metric: stream("DeliveryToS3.DataFreshness", "Maximum"),
            comparison: ">",
            threshold: LATE_SECONDS,
            periods: 3,
        },
    ];
}
