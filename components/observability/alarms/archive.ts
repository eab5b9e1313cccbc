import { type Alarm, type Metric } from "../alarm";

/** Arguments of {@link archiveAlarms}. */
export interface ArchiveAlarmsArgs {
    /** Name of the delivery stream that fills the archive, and of the subscription that fills the stream. */
    name: string;
    /** Log group whose events are archived. */
    logGroup: string;
}

/** An event that is older than that when it is still on its way is late: it takes five minutes. In seconds. */
const LATE_SECONDS = 1800;

/** Events of an hour that may still be on their way to the archive at its end, in percent. */
const GAP_PERCENT = 5;

/** Of fewer events in an hour, one that is on its way would be too large a share. */
const FEWEST_EVENTS = 20;

/** Audit events on their way to the archive. Section 7.1. */
export function archiveAlarms({ name, logGroup }: ArchiveAlarmsArgs): Alarm[] {
    const stream = (metric: string, statistic: Metric["statistic"]): Metric => ({
        namespace: "AWS/Firehose",
        name: metric,
        dimensions: { DeliveryStreamName: name },
        statistic,
    });
    const common = { procedure: "audit-archive", minutes: 5, missingData: "count" } as const;
    const tried = `Their log beside ${logGroup} says why. Nothing is lost for a day: it is tried again so long.`;
    return [
        {
            ...common,
            id: "archive-subscription",
            incident: "archive",
            severity: "P2",
            meaning: `Events of ${logGroup} are refused on their way to the archive.`,
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
            meaning: `Audit events have been on their way to the archive for more than ${LATE_SECONDS / 60} minutes.`,
            cause: "The archive refuses them, or there are more than the stream takes.",
            resolution: tried,
            metric: stream("DeliveryToS3.DataFreshness", "Maximum"),
            comparison: ">",
            threshold: LATE_SECONDS,
            periods: 3,
        },
    ];
}
