import { type Rule } from "../rule";
import { arnOf, eachOf, findOf, isTopic } from "../selectors";
import { asList, isConditional, isForAnyone, statementsOf } from "../statements";
import { type Properties } from "../unknown";

export const rule: Rule = {
    name: "aws-sns-topic-require-encryption",
    description:
        "SNS topics are encrypted with a key of the account, take messages over TLS only, and are not public.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_26", "CKV_AWS_169"],
    remediation:
        "Set kmsMasterKeyId to a key of the stack, and declare a TopicPolicy that denies sns:Publish without aws:SecureTransport and names its publishers.",
    stack: eachOf(isTopic, (topic, resources, { report, attempt }) => {
        attempt(() => {
            const key = topic.props["kmsMasterKeyId"];
            if (!key || key.endsWith("alias/aws/sns")) {
                report("is not encrypted with a key of the account");
            }
        });
        const policies = resources.filter(({ type }) => type === "aws:sns/topicPolicy:TopicPolicy");
        // A topic has one policy: a declared one takes the place of its own.
        const policy = findOf(policies, ({ props }) => props["arn"] === arnOf(topic)) ?? topic;
        if (!statementsOf(policy.props["policy"], "Deny").some(refusesPlaintext)) {
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

function refusesPlaintext(deny: Properties): boolean {
    const isPublishing = asList(deny["Action"]).some((action) =>
        /^(sns:(publish|\*)|\*)$/i.test(String(action)),
    );
    const [secure] = asList(deny["Condition"]?.Bool?.["aws:SecureTransport"]);
    return isForAnyone(deny) && isPublishing && String(secure) === "false";
}
