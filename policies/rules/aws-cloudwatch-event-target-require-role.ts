import { type PolicyResource, type Rule } from "../rule";
import { eachOf, isGiven, ofType } from "../selectors";
import { orElse } from "../unknown";

/** Whether a target is a topic: by its ARN if known, otherwise by the resource that it refers to. */
function isTopic({ props, propertyDependencies }: PolicyResource): boolean {
    return orElse(
        () => /^arn:[\w-]+:sns:/.test(String(props["arn"])),
        (unknown) => {
            const sources = propertyDependencies["arn"] ?? [];
            if (sources.length === 0) {
                throw unknown;
            }
            return sources.some((urn) => /[$:]aws:sns\/topic:Topic::/.test(urn));
        },
    );
}

export const rule: Rule = {
    name: "aws-cloudwatch-event-target-require-role",
    description: "EventBridge publishes to a topic with a role, not as a service principal.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: [],
    remediation:
        "Set roleArn to a role that events.amazonaws.com assumes for this rule alone, with sns:Publish on the topic, and kms:Decrypt and kms:GenerateDataKey on its key.",
    stack: eachOf(ofType("aws:cloudwatch/eventTarget:EventTarget"), (target, _resources, { report }) => {
        if (isTopic(target) && !isGiven(target, "roleArn")) {
            report(
                "publishes in the name of EventBridge, which supports no condition in the policy of a topic or of its key: " +
                    "AWS drops the message, or admits the rules of every account",
            );
        }
    }),
};
