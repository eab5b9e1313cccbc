import { type Level, type Severity } from "../../core/numbers";
import { acknowledge, ESCALATED } from "./incidentMachine";
import { call, look, otherwise, quoted, RECORD, write } from "./machineParts";

/** One level, as it is called. */
export interface CalledLevel {
    level: Level;
    role: string;
    /** ARN of the topic that reaches it. */
    topicArn: string;
    /** How long it has to answer before the next is called, in seconds. */
    seconds: number;
    /** Whether a chat shows its calls, too: Amazon Q Developer takes them in a form of its own alone. */
    chat: boolean;
}

/** A message as it is to people, and as a chat takes it to https endpoints. In JSONata. */
function forChat(title: string, description: string): string {
    const custom = `{"version": "1.0", "source": "custom", "content": {"textType": "client-markdown", "title": ${title}, "description": ${description}}}`;
    return `$string({"default": ${description}, "https": $string(${custom})})`;
}

/**
 * Calls level after level until somebody answers: the OpsItem is no longer open. Whether the alarm still rings does not
 * matter; what recovered by itself has been looked at by nobody. A level that cannot be told is not waited for. Each
 * step is written on the OpsItem, and if nobody answers, the execution fails. Section 8.1.
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
        const onward = next === undefined ? "Write that nobody answered" : `Tell ${next.level}`;
        const who = `${level} (${role})`;
        const threat =
            next === undefined ? "nobody is called after you" : `${next.level} (${next.role}) is called`;
        const message = [
            `$severity & " of ${platform}: " & $title & ($about = "" ? "" : "\\n\\n" & $about)`,
            quoted(`You are ${who}. Acknowledge within ${seconds / 60} minutes, or ${threat}:`),
            acknowledge(region),
            quoted("What is known, and who was told before you:"),
            `"aws ssm get-ops-item --region ${region} --ops-item-id " & $id`,
        ];
        const subject = `$severity & " ${level}: acknowledge " & $id`;
        const body = message.join(' & "\\n\\n" & ');
        return Object.entries({
            [`Tell ${level}`]: call(
                "sns:publish",
                {
                    TopicArn: topicArn,
                    Subject: `{% ${subject} %}`,
                    ...(chat
                        ? { MessageStructure: "json", Message: `{% ${forChat(subject, body)} %}` }
                        : { Message: `{% ${body} %}` }),
                },
                {
                    Next: `Write that ${level} was told`,
                    Catch: otherwise(`Write that ${level} could not be told`, {
                        Assign: { trouble: "{% $states.errorOutput.Error %}" },
                    }),
                },
            ),
            [`Write that ${level} was told`]: write(
                { [RECORD.level(level)]: `$now() & " ${role} told, ${seconds / 60} minutes to answer"` },
                `Wait for ${level}`,
            ),
            [`Write that ${level} could not be told`]: write(
                { [RECORD.level(level)]: `$now() & " ${role} could not be told: " & $trouble` },
                onward,
            ),
            [`Wait for ${level}`]: { Type: "Wait", Seconds: seconds, Next: `Look after ${level}` },
            [`Look after ${level}`]: look({
                Assign: {
                    status: "{% $states.result.OpsItem.Status %}",
                    by: '{% $exists($states.result.OpsItem.LastModifiedBy) ? $states.result.OpsItem.LastModifiedBy : "somebody" %}',
                },
                Next: `Has ${level} answered`,
                // Who cannot tell calls on.
                Catch: otherwise(onward),
            }),
            [`Has ${level} answered`]: {
                Type: "Choice",
                Choices: [{ Condition: '{% $status = "Open" %}', Next: onward }],
                Default: `Write that ${level} answered`,
            },
            [`Write that ${level} answered`]: write(
                { [RECORD.end]: `$now() & " " & $status & " by " & $by & " when ${who} had been told"` },
                "Answered",
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
                Next: `Tell ${levels[0]!.level}`,
            },
            ...Object.fromEntries(states),
            Answered: { Type: "Succeed" },
            "Write that nobody answered": write(
                { [RECORD.end]: '$now() & " nobody answered"' },
                "Nobody answered",
            ),
            "Nobody answered": {
                Type: "Fail",
                Error: "NobodyAnswered",
                Cause: `{% $id & " is open, and all of ${levels.map(({ level }) => level).join(", ")} were called" %}`,
            },
        },
    };
}
