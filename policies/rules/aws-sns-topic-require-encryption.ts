import { type Rule } from "../rule";
import { eachOf, findOf, leadsTo, namesOwnKey, ofType } from "../selectors";
import { isConditional, isForAnyone, refusesPlaintext, statementsOf } from "../statements";

const PUBLISH = /^(sns:(publish|\*)|\*)$/i;

export const rule: Rule = {
    name: "aws-sns-topic-require-encryption",
    description:
        "SNS topics are encrypted with a key of the account, take messages over TLS only, and are not public.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_26", "CKV_AWS_169"],
    remediation:
        "Set kmsMasterKeyId to a key of the stack, and declare a TopicPolicy that denies sns:Publish without aws:SecureTransport and names its publishers.",
    stack: eachOf(ofType("aws:sns/topic:Topic"), (topic, resources, { report, attempt }) => {
        attempt(() => {
            if (!namesOwnKey(topic, "kmsMasterKeyId")) {
                report("is not encrypted with a key of the account");
            }
        });
        const policies = resources.filter(ofType("aws:sns/topicPolicy:TopicPolicy"));
        // A topic has one policy: a separate policy resource replaces the topic's own.
        const policy = findOf(policies, (candidate) => leadsTo(candidate, "arn", topic)) ?? topic;
        if (!statementsOf(policy.props["policy"], "Deny").some((deny) => refusesPlaintext(deny, PUBLISH))) {
            report("no policy denies publishing without TLS");
        }
        if (
            statementsOf(policy.props["policy"], "Allow").some(
                (allow) => isForAnyone(allow) && !isConditional(allow),
            )
        ) {
            report("is public");
        }
    }),
};
