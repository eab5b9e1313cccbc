import { type Alarm } from "../alarm";

/** Arguments of {@link deliveryAlarms}. */
export interface DeliveryAlarmsArgs {
    /** Names of the EventBridge rules, without the stack's prefix. */
    rules: readonly string[];
    /** Names of the topics, without the stack's prefix. */
    topics: readonly string[];
    /** Name of the stack, the prefix of each name. */
    platform: string;
}

/** Topic for the failures of the other topics. */
const TELLS_OF_OTHERS = "incidents-p3";

/** Messages that AWS drops: it reports a refused delivery only in these metrics. */
export function deliveryAlarms({ rules, topics, platform }: DeliveryAlarmsArgs): Alarm[] {
    return [...droppedEvents(rules, platform), ...undelivered(topics, platform)];
}

/** Messages that SNS could not deliver to a contact. Each alarm uses another topic than the failed one. */
function undelivered(topics: readonly string[], platform: string): Alarm[] {
    return topics.map((topic) => ({
        id: `undelivered-${topic}`,
        // An escalation uses the topics of its levels.
        ...(topic === TELLS_OF_OTHERS
            ? { severity: "P2" as const, incident: "notices" as const }
            : { severity: "P3" as const }),
        meaning: `SNS could not deliver a message of ${platform}-${topic} to one of its contacts.`,
        cause: "An endpoint refuses it or is away, an address bounces, or the budget for SMS is spent.",
        resolution:
            "aws sns list-subscriptions-by-topic lists the contacts: notify them another way, and repair the " +
            "failing subscription.",
        procedure: "notices",
        metric: {
            namespace: "AWS/SNS",
            name: "NumberOfNotificationsFailed",
            dimensions: { TopicName: `${platform}-${topic}` },
            statistic: "Sum",
        },
        comparison: ">",
        threshold: 0,
        minutes: 5,
        missingData: "count",
    }));
}

function droppedEvents(rules: readonly string[], platform: string): Alarm[] {
    return rules.map((rule) => ({
        id: `event-dropped-${rule}`,
        severity: "P3",
        meaning: `EventBridge could not deliver an event of the rule ${platform}-${rule}: its message or its start is lost.`,
        cause: "The role of the target, the policy of the topic, or the policy of its key was changed by hand.",
        resolution:
            "npm run preview shows the role and the policies as declared; update the stack, and check what was " +
            "missed.",
        procedure: "notices",
        metric: {
            namespace: "AWS/Events",
            name: "FailedInvocations",
            dimensions: { RuleName: `${platform}-${rule}` },
            statistic: "Sum",
        },
        comparison: ">",
        threshold: 0,
        minutes: 5,
        missingData: "count",
    }));
}
