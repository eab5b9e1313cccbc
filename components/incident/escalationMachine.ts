import { type Level, type Severity } from "../../core/numbers";
import { acknowledge, ESCALATED } from "./incidentMachine";
import { call, readOpsItem, otherwise, quoted, RECORD, write } from "./machineParts";

/** One level of the escalation. */
export interface CalledLevel {
    level: Level;
    role: string;
    /** ARN of its topic. */
    topicArn: string;
    /** Seconds to acknowledge before the next level is called. */
    seconds: number;
    /** Whether a chat shows its calls. Amazon Q Developer accepts only its own message format. */
    chat: boolean;
}

/** A message as text for people, and in the chat format for HTTPS endpoints. In JSONata. */
function forChat(title: string, description: string): string {
    const custom = `{"version": "1.0", "source": "custom", "content": {"textType": "client-markdown", "title": ${title}, "description": ${description}}}`;
    return `$string({"default": ${description}, "https": $string(${custom})})`;
}

/**
 * Calls level after level until someone acknowledges: the OpsItem is no longer open. The alarm's state does not matter,
 * because a recovered incident still needs someone to look at it. If a level cannot be notified, the next one is called
 * at once. Each step is recorded on the OpsItem. If no level acknowledges, the execution fails. Section 8.1.
 */
export function escalationMachine(args: {
    platform: string;
    region: string;
    levels: readonly CalledLevel[];
}): object {
    const { platform, region, levels } = args;
    const severities = Object.fromEntries(
        Object.entries(ESCALATED).map(([severity, number]) => [number, severity as Severity]),
    );
    const states = levels.flatMap(({ level, role, topicArn, seconds, chat }, index) => {
        const next = levels[index + 1];
        const onward = next === undefined ? "Record that no level acknowledged" : `Notify ${next.level}`;
        const who = `${level} (${role})`;
        const threat =
            next === undefined ? "no further level is called" : `${next.level} (${next.role}) is called`;
        const message = [
            `$severity & " of ${platform}: " & $title & ($about = "" ? "" : "\\n\\n" & $about)`,
            quoted(`You are ${who}. Acknowledge within ${seconds / 60} minutes, or ${threat}:`),
            acknowledge(region),
            quoted("Details, and the levels that were notified before you:"),
            `"aws ssm get-ops-item --region ${region} --ops-item-id " & $id`,
        ];
        const subject = `$severity & " ${level}: acknowledge " & $id`;
        const body = message.join(' & "\\n\\n" & ');
        return Object.entries({
            [`Notify ${level}`]: call(
                "sns:publish",
                {
                    TopicArn: topicArn,
                    Subject: `{% ${subject} %}`,
                    ...(chat
                        ? { MessageStructure: "json", Message: `{% ${forChat(subject, body)} %}` }
                        : { Message: `{% ${body} %}` }),
                },
                {
                    Next: `Record that ${level} was notified`,
                    Catch: otherwise(`Record that ${level} could not be notified`, {
                        Assign: { error: "{% $states.errorOutput.Error %}" },
                    }),
                },
            ),
            [`Record that ${level} was notified`]: write(
                {
                    [RECORD.level(level)]:
                        `$now() & " ${role} notified, ${seconds / 60} minutes to acknowledge"`,
                },
                `Wait for ${level}`,
            ),
            [`Record that ${level} could not be notified`]: write(
                { [RECORD.level(level)]: `$now() & " ${role} could not be notified: " & $error` },
                onward,
            ),
            [`Wait for ${level}`]: { Type: "Wait", Seconds: seconds, Next: `Check after ${level}` },
            [`Check after ${level}`]: readOpsItem({
                Assign: {
                    status: "{% $states.result.OpsItem.Status %}",
                    by: '{% $exists($states.result.OpsItem.LastModifiedBy) ? $states.result.OpsItem.LastModifiedBy : "somebody" %}',
                },
                Next: `Has ${level} acknowledged`,
                // If the Wait state ends before the read, the next level is called.
                Catch: otherwise(onward),
            }),
            [`Has ${level} acknowledged`]: {
                Type: "Choice",
                Choices: [{ Condition: '{% $status = "Open" %}', Next: onward }],
                Default: `Record that ${level} acknowledged`,
            },
            [`Record that ${level} acknowledged`]: write(
                { [RECORD.end]: `$now() & " " & $status & " by " & $by & " after ${who} was notified"` },
                "Acknowledged",
            ),
        });
    });
    return {
        Comment: `Escalation of ${platform}`,
        QueryLanguage: "JSONata",
        TimeoutSeconds: 86_400,
        StartAt: "Begin",
        States: {
            Begin: {
                Type: "Pass",
                Assign: {
                    id: "{% $states.input.opsItem %}",
                    title: "{% $states.input.title %}",
                    severity: `{% $lookup(${JSON.stringify(severities)}, $states.input.severity) %}`,
                    about: '{% $exists($states.input.about) ? $states.input.about : "" %}',
                },
                Next: `Notify ${levels[0]!.level}`,
            },
            ...Object.fromEntries(states),
            Acknowledged: { Type: "Succeed" },
            "Record that no level acknowledged": write(
                { [RECORD.end]: '$now() & " no level acknowledged"' },
                "No level acknowledged",
            ),
            "No level acknowledged": {
                Type: "Fail",
                Error: "NotAcknowledged",
                Cause: `{% $id & " is open, and all of ${levels.map(({ level }) => level).join(", ")} were called" %}`,
            },
        },
    };
}
