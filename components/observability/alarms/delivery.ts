import { type Alarm } from "../alarm";

/** Arguments of {@link deliveryAlarms}. */
export interface DeliveryAlarmsArgs {
    /** Names of the EventBridge rules, without the stack's own before them. */
    rules: readonly string[];
    /** The stack's name, which each rule's name begins with. */
    platform: string;
}

/** Messages that AWS drops on their way: EventBridge reports a delivery it was refused here and nowhere else. */
export function deliveryAlarms({ rules, platform }: DeliveryAlarmsArgs): Alarm[] {
    return rules.map((rule) => ({
        id: `event-dropped-${rule}`,
        severity: "P3",
        meaning: `EventBridge could not deliver an event of the rule ${platform}-${rule}: its message or its start is lost.`,
        cause: "The role of the target, the policy of the topic, or the policy of its key was changed by hand.",
        resolution:
            "npm run preview shows the role and the policies as declared; update the stack, and look up what was missed.",
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
