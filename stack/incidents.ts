import { required } from "../core/required";
import { type Input, type Output } from "@pulumi/pulumi";
import { Escalation } from "../components/incident/escalation";
import { SeverityTopics } from "../components/incident/severityTopics";
import { Chat } from "../components/incident/chat";
import { channelOf } from "../components/incident/channel";
import { type Level, type Severity } from "../core/numbers";
import { type PlatformContext } from "./platform";

/** Notification and escalation of incidents. */
export interface Incidents {
    /** ARN of each severity's topic. */
    topics: Record<Severity, Output<string>>;
    /** Actions of an alarm of each severity. */
    actions: Record<Severity, Input<string>[]>;
    /** ARN of the topics' key, for publishers with a role. */
    keyArn: Output<string>;
}

/** Declares the contacts of each severity and the escalation, in a stack on AWS. Sections 4.1, 4.2 and 8. */
export function declareIncidents({ stack, providers }: PlatformContext): Incidents | undefined {
    if (!stack.onAws) {
        return undefined;
    }
    const { aws } = providers;
    const { contacts, escalation, chat, external, stale } = stack.incident;
    const channels = (listed: readonly string[]) =>
        listed.map((contact) => channelOf(contact, stack.endpoints));
    const { accountId, region } = stack.aws;
    const topicArn = (severity: Severity) =>
        `arn:aws:sns:${region}:${accountId}:${stack.name}-incidents-${severity.toLowerCase()}`;
    const isInChat = (level: Level) => Object.values(chat).some(({ levels }) => levels.includes(level));
    const { arns: topics, keyArn } = new SeverityTopics(
        `${stack.name}-incidents`,
        { ...stack.aws, channels: mapValues(contacts, channels) },
        { providers: { aws } },
    );
    const { actions: opsItem, topics: levels } = new Escalation(
        stack.escalation.name,
        {
            ...stack.aws,
            platform: stack.name,
            levels: mapValues(escalation, ({ contacts: called, within }, level) => ({
                channels: channels(called),
                within,
                chat: isInChat(level),
            })),
            external,
            logDays: stack.logDays,
            // Built from names: the state machine's definition is shown before the topics exist.
            severityTopics: {
                arns: { P1: topicArn("P1"), P2: topicArn("P2") },
                keyArn,
                keyAlias: `alias/${stack.name}-incidents`,
            },
            staleSeconds: stale,
            topic: { arn: topics.P1, keyArn },
        },
        { providers: { aws } },
    );
    for (const [channel, { slack, teams, ...shown }] of Object.entries(chat)) {
        new Chat(
            `${stack.name}-chat-${channel}`,
            {
                accountId,
                channel: slack === undefined ? { teams: required(teams, "teams") } : { slack },
                topics: [
                    ...shown.severities.map((severity) => topics[severity]),
                    ...shown.levels.map((level) => levels[level]),
                ],
            },
            { providers: { aws } },
        );
    }
    return {
        topics,
        keyArn,
        actions: mapValues(topics, (topic, severity) => [topic, opsItem[severity]]),
    };
}

/** The same keys with other values. */
function mapValues<K extends string, V, R>(record: Record<K, V>, map: (value: V, key: K) => R): Record<K, R> {
    return Object.fromEntries(
        Object.entries(record).map(([key, value]) => [key, map(value as V, key as K)]),
    ) as Record<K, R>;
}
