import { ESCALATED } from "./incidentMachine";
import { call, otherwise } from "./machineParts";

/**
 * Checks the key of the severity topics first: while it is disabled, SNS drops what alarms send, and the levels of the
 * escalation, whose topics have another key, are the only way to people. Then
 * reminds of open OpsItems of P1 and P2 that stayed unchanged: those in progress, whose alarms open no other, and
 * reopened ones, which are not escalated again. Sections 4.2 and 8.1.
 */
export function reminderMachine(args: {
    /** Prefix of the platform's alarm names. */
    platform: string;
    region: string;
    /** ARN of each escalated severity's topic. */
    topics: Record<keyof typeof ESCALATED, string>;
    /** Key of the severity topics, by its alias. */
    keyAlias: string;
    /** ARN of the topic of L1, which has another key. */
    l1TopicArn: string;
    /** How long an OpsItem may stay unchanged, in seconds. */
    staleSeconds: number;
}): object {
    const { platform, region, topics, keyAlias, l1TopicArn, staleSeconds } = args;
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
        StartAt: "Read the key of the topics",
        States: {
            "Read the key of the topics": call(
                "aws-sdk:kms:describeKey",
                { KeyId: keyAlias },
                {
                    Assign: { key: "{% $states.result.KeyMetadata.KeyState %}" },
                    Next: "Is the key enabled",
                    Catch: otherwise("Is the key enabled", {
                        Assign: { key: "{% $states.errorOutput.Error %}" },
                    }),
                },
            ),
            "Is the key enabled": {
                Type: "Choice",
                Choices: [{ Condition: '{% $key = "Enabled" %}', Next: "List open incidents" }],
                Default: "Notify L1 of the key",
            },
            "Notify L1 of the key": call(
                "sns:publish",
                {
                    TopicArn: l1TopicArn,
                    Subject: `${platform}: alarms are not delivered`,
                    Message: `{% "The key ${keyAlias} is not enabled (" & $key & "): messages of P3 and P4 of ${platform} reach nobody, and P1 and P2 come by the escalation alone. Read the OpsItems, and repair the key:\\naws kms enable-key --region ${region} --key-id $(aws kms describe-key --region ${region} --key-id ${keyAlias} --query KeyMetadata.KeyId --output text)" %}`,
                },
                { Next: "List open incidents", Catch: otherwise("List open incidents") },
            ),
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
