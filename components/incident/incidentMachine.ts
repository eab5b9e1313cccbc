import { type Severity, SEVERITY_MATRIX } from "../../core/numbers";
import { call, look, otherwise, quoted, RECORD, write } from "./machineParts";

/** Severities that people are called for, as OpsItems count them. */
export const ESCALATED = { P1: "1", P2: "2" } as const satisfies Partial<Record<Severity, string>>;

/** Command that acknowledges the OpsItem whose id is in `$id`, in JSONata. */
export function acknowledge(region: string): string {
    return `"aws ssm update-ops-item --region ${region} --status InProgress --ops-item-id " & $id`;
}

/**
 * What happens when an OpsItem is opened or resolved: the event says which, and what it is now decides. One that names
 * the platform and is of P1 or P2 gets what its reader needs, and an escalation of its own name, which AWS starts once
 * however often the event comes. One that is resolved gets the post-mortem that is due. Section 4.2.
 */
export function incidentMachine(args: {
    /** Name that the platform's alarms begin with. */
    platform: string;
    region: string;
    /** ARN of the state machine that calls people. */
    escalationArn: string;
    /** Who helps from outside, in a sentence. */
    external: string;
}): object {
    const { platform, region, escalationArn, external } = args;
    const responses = Object.fromEntries(
        Object.entries(ESCALATED).map(([severity, number]) => {
            const { impact, responseMinutes } = SEVERITY_MATRIX[severity as keyof typeof ESCALATED];
            return [number, `${severity} ${impact}: respond within ${responseMinutes} minutes`];
        }),
    );
    const escalated = `$severity in ${JSON.stringify(Object.values(ESCALATED))}`;
    return {
        Comment: `Incidents of ${platform}`,
        QueryLanguage: "JSONata",
        TimeoutSeconds: 900,
        StartAt: "Which one",
        States: {
            "Which one": {
                Type: "Pass",
                Assign: { id: "{% $states.input.detail.`ops-item-id` %}" },
                Next: "Look at it",
            },
            "Look at it": look({
                Assign: {
                    title: "{% $states.result.OpsItem.Title %}",
                    severity:
                        '{% $exists($states.result.OpsItem.Severity) ? $states.result.OpsItem.Severity : "none" %}',
                    status: "{% $states.result.OpsItem.Status %}",
                    // An alarm's OpsItem names the alarm in its title and among its resources.
                    own: `{% $contains($string($states.result.OpsItem.[Title, OperationalData.\`/aws/resources\`.Value]), ${quoted(platform)}) %}`,
                    over: `{% $exists($states.result.OpsItem.OperationalData.\`${RECORD.postMortem}\`) %}`,
                    // Its alarm, by the name in its title; people may have opened it without one.
                    alarm: `{% ($found := $match($string($states.result.OpsItem.Title), /${platform}-[\\w.-]+/); $exists($found) ? $found[0].match : "none") %}`,
                    history:
                        '{% "opened " & $states.result.OpsItem.CreatedTime & ", resolved " & $states.result.OpsItem.LastModifiedTime %}',
                },
                Next: "What is to be done",
            }),
            "What is to be done": {
                Type: "Choice",
                Choices: [
                    {
                        Condition: `{% $own and ${escalated} and $status = "Open" %}`,
                        Next: "Read what its alarm says",
                    },
                    {
                        Condition: `{% $own and ${escalated} and $status = "Resolved" and $not($over) %}`,
                        Next: "Write the post-mortem",
                    },
                ],
                Default: "Done",
            },
            "Read what its alarm says": call(
                "aws-sdk:cloudwatch:describeAlarms",
                {
                    AlarmNames: ["{% $alarm %}"],
                    AlarmTypes: ["CompositeAlarm", "MetricAlarm"],
                },
                {
                    Assign: {
                        about: '{% ($found := $append($states.result.CompositeAlarms, $states.result.MetricAlarms); $exists($found[0].AlarmDescription) ? $found[0].AlarmDescription : "") %}',
                    },
                    Next: "Write what its reader needs",
                    // People are called without it.
                    Catch: otherwise("Write what its reader needs", { Assign: { about: "" } }),
                },
            ),
            "Write what its reader needs": write(
                {
                    [RECORD.about]: '$about = "" ? $title : $about',
                    [RECORD.response]: `$lookup(${JSON.stringify(responses)}, $severity)`,
                    [RECORD.acknowledge]: acknowledge(region),
                    [RECORD.external]: quoted(external),
                },
                "Escalate",
            ),
            Escalate: call(
                "aws-sdk:sfn:startExecution",
                {
                    StateMachineArn: escalationArn,
                    Name: "{% $id %}",
                    Input: '{% $string({"opsItem": $id, "severity": $severity, "title": $title, "about": $about}) %}',
                },
                {
                    Catch: [{ ErrorEquals: ["Sfn.ExecutionAlreadyExistsException"], Next: "Done" }],
                    Next: "Done",
                },
            ),
            "Write the post-mortem": write(
                {
                    [RECORD.postMortem]: `"Due. Fill in a copy of docs/post-mortem.md of the platform's repository for " & $id & " (" & $title & "), " & $history & ". Who was told and who answered stands in the escalation-… records."`,
                },
                "Done",
            ),
            Done: { Type: "Succeed", Output: "{% $status %}" },
        },
    };
}
