import { disagreement } from "../alarms";
import { type Rule } from "../rule";
import { eachOf, findOf, leadsTo, ofType } from "../selectors";

export const rule: Rule = {
    name: "aws-sns-topic-require-severity",
    description:
        "Incident topics carry a severity and its response time from the matrix, and have subscribers.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: [],
    remediation:
        "Tag the topic with a severity of the matrix in core/numbers.ts and its response-minutes, and add a " +
        "subscription.",
    runbook: "4.1",
    stack: eachOf(ofType("aws:sns/topic:Topic"), (topic, resources, { report }) => {
        const tags = topic.props["tags"] ?? {};
        if (tags.severity == null) {
            return;
        }
        const found = disagreement(tags);
        if (found !== undefined) {
            report(found);
        }
        const subscriptions = resources.filter(ofType("aws:sns/topicSubscription:TopicSubscription"));
        if (findOf(subscriptions, (candidate) => leadsTo(candidate, "topic", topic)) === undefined) {
            report("has no subscription");
        }
    }),
};
