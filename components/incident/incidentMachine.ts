import { type Severity, SEVERITY_MATRIX } from "../../core/numbers";
import { call, readOpsItem, otherwise, quoted, RECORD, write } from "./machineParts";

/** Severities that are escalated, as OpsItems number them. */
export const ESCALATED = { P1: "1", P2: "2" } as const satisfies Partial<Record<Severity, string>>;

/** Command that acknowledges the OpsItem whose id is in `$id`, in JSONata. */
export function acknowledge(region: string): string {
    return `"aws ssm update-ops-item --region ${region} --status InProgress --ops-item-id " & $id`;
}

/**
 * Runs when an OpsItem is opened or resolved; it reads the current state. An open P1 or P2 of the platform gets its
 * details, and one escalation with its name: AWS starts an execution name once, however often the event is delivered. A
 * resolved one gets a post-mortem record. Section 4.2.
 */
export function incidentMachine(args: {
    /** Prefix of the platform's alarm names. */
    platform: string;
    region: string;
    /** ARN of the escalation's state machine. */
    escalationArn: string;
    /** External support, in a sentence. */
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
        StartAt: "Take the id",
        States: {
            "Take the id": {
                Type: "Pass",
                Assign: { id: "{% $states.input.detail.`ops-item-id` %}" },
                Next: "Read the OpsItem",
            },
            "Read the OpsItem": readOpsItem({
                Assign: {
                    title: "{% $states.result.OpsItem.Title %}",
                    severity:
                        '{% $exists($states.result.OpsItem.Severity) ? $states.result.OpsItem.Severity : "none" %}',
                    status: "{% $states.result.OpsItem.Status %}",
                    // An alarm's OpsItem has the alarm's name in its title and its resources.
                    own: `{% $contains($string($states.result.OpsItem.[Title, OperationalData.\`/aws/resources\`.Value]), ${quoted(platform)}) %}`,
                    over: `{% $exists($states.result.OpsItem.OperationalData.\`${RECORD.postMortem}\`) %}`,
                    // The alarm named in the title. An OpsItem opened by hand may have none.
                    alarm: `{% ($found := $match($string($states.result.OpsItem.Title), /${platform}-[\\w.-]+/); $exists($found) ? $found[0].match : "none") %}`,
                    history:
                        '{% "opened " & $states.result.OpsItem.CreatedTime & ", resolved " & $states.result.OpsItem.LastModifiedTime %}',
                },
                Next: "Choose the action",
            }),
            "Choose the action": {
                Type: "Choice",
                Choices: [
                    {
                        Condition: `{% $own and ${escalated} and $status = "Open" %}`,
                        Next: "Read the alarm",
                    },
                    {
                        Condition: `{% $own and ${escalated} and $status = "Resolved" and $not($over) %}`,
                        Next: "Write the post-mortem",
                    },
                ],
                Default: "Done",
            },
            "Read the alarm": call(
                "aws-sdk:cloudwatch:describeAlarms",
                {
                    AlarmNames: ["{% $alarm %}"],
                    AlarmTypes: ["CompositeAlarm", "MetricAlarm"],
                },
                {
                    Assign: {
                        about: '{% ($found := $append($states.result.CompositeAlarms, $states.result.MetricAlarms); $exists($found[0].AlarmDescription) ? $found[0].AlarmDescription : "") %}',
                    },
                    Next: "Write the details",
                    // The escalation starts without it.
                    Catch: otherwise("Write the details", { Assign: { about: "" } }),
                },
            ),
            "Write the details": write(
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
                    [RECORD.postMortem]:
                        '"Due. Fill in a copy of docs/post-mortem.md of the platform\'s repository for " & $id & " ' +
                        '(" & $title & "), " & $history & ". The escalation-… records show who was notified and ' +
                        'who acknowledged."',
                },
                "Done",
            ),
            Done: { Type: "Succeed", Output: "{% $status %}" },
        },
    };
}
