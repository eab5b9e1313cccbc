import { ESCALATED } from "./incidentMachine";
import { call, otherwise } from "./machineParts";

/**
 * Reminds of open OpsItems of P1 and P2 that stayed unchanged: those in progress, whose alarms open no other, and
 * reopened ones, which are not escalated again. Sections 4.2 and 8.1.
 */
export function reminderMachine(args: {
    /** Prefix of the platform's alarm names. */
    platform: string;
    region: string;
    /** ARN of each escalated severity's topic. */
    topics: Record<keyof typeof ESCALATED, string>;
    /** How long an OpsItem may stay unchanged, in seconds. */
    staleSeconds: number;
}): object {
    const { platform, region, topics, staleSeconds } = args;
    const topicOf = Object.fromEntries(
        Object.entries(ESCALATED).map(([severity, number]) => [
            number,
            topics[severity as keyof typeof ESCALATED],
        ]),
    );
    const hours = staleSeconds / 3600;
    const severityOf = `"P" & $item.Severity`;
    const text = `${severityOf} & " of ${platform} is " & $item.Status & " and was not touched for ${hours} hours: " & $item.Title & "\\n\\nWrite on it what is being done, or resolve it: until then its alarm opens no other OpsItem.\\naws ssm get-ops-item --region ${region} --ops-item-id " & $item.OpsItemId`;
    return {
        Comment: `Reminders of the incidents of ${platform}`,
        QueryLanguage: "JSONata",
        TimeoutSeconds: 900,
        StartAt: "List open incidents",
        States: {
            "List open incidents": call(
                "aws-sdk:ssm:describeOpsItems",
                {
                    OpsItemFilters: [
                        { Key: "Status", Values: ["Open", "InProgress", "Pending"], Operator: "Equal" },
                        { Key: "Title", Values: [platform], Operator: "Contains" },
                        {
                            Key: "LastModifiedTime",
                            Values: [`{% $fromMillis($millis() - ${staleSeconds * 1000}) %}`],
                            Operator: "LessThan",
                        },
                    ],
                    MaxResults: 50,
                },
                {
                    Output: `{% [$states.result.OpsItemSummaries[Severity in ${JSON.stringify(Object.values(ESCALATED))}]] %}`,
                    Next: "Remind of each",
                },
            ),
            "Remind of each": {
                Type: "Map",
                Items: "{% $states.input %}",
                MaxConcurrency: 1,
                ItemProcessor: {
                    StartAt: "Which one",
                    States: {
                        "Which one": {
                            Type: "Pass",
                            Assign: { item: "{% $states.input %}" },
                            Next: "Remind",
                        },
                        Remind: call(
                            "sns:publish",
                            {
                                TopicArn: `{% $lookup(${JSON.stringify(topicOf)}, $item.Severity) %}`,
                                Subject: `{% ${severityOf} & ": " & $item.OpsItemId & " waits" %}`,
                                Message: `{% ${text} %}`,
                            },
                            { End: true, Catch: otherwise("Not notified") },
                        ),
                        // Continues with the other OpsItems; the next run tries again.
                        "Not notified": { Type: "Succeed" },
                    },
                },
                Next: "Done",
            },
            Done: { Type: "Succeed" },
        },
    };
}
