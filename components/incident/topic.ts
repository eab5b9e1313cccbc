import { Topic } from "@pulumi/aws/sns/topic";
import { TopicPolicy } from "@pulumi/aws/sns/topicPolicy";
import { TopicSubscription } from "@pulumi/aws/sns/topicSubscription";
import { type ComponentResource, type Input } from "@pulumi/pulumi";
import { type Channel } from "./channel";

/** Arguments of {@link declareTopic}. */
export interface TopicArgs {
    /** Who writes, as the reader of a message sees it. */
    displayName: string;
    /** Default: none. */
    tags?: Record<string, string>;
    /** Key that messages are encrypted with. */
    keyArn: Input<string>;
    accountId: string;
    region: string;
    /** Services of AWS that may publish for the account, beside its own roles. Default: none. */
    publishers?: readonly string[];
    /** How people are reached. An e-mail address must confirm its subscription once; endpoints do so by themselves. */
    channels: readonly Channel[];
}

/** An encrypted topic that takes messages over TLS only, and those whom it reaches. */
export function declareTopic(name: string, args: TopicArgs, parent: ComponentResource): Topic {
    const { displayName, tags, keyArn, accountId, region, publishers, channels } = args;
    const topic = new Topic(name, { name, displayName, kmsMasterKeyId: keyArn, tags }, { parent });
    // Written out, so that a preview tells who may publish before the topic exists.
    const arn = `arn:aws:sns:${region}:${accountId}:${name}`;
    const allowed = publishers && {
        Sid: "Publishers",
        Effect: "Allow",
        Principal: { Service: publishers },
        Action: "sns:Publish",
        Resource: arn,
        Condition: { StringEquals: { "aws:SourceAccount": accountId } },
    };
    const tlsOnly = {
        Sid: "TlsOnly",
        Effect: "Deny",
        Principal: "*",
        Action: "sns:Publish",
        Resource: arn,
        Condition: { Bool: { "aws:SecureTransport": "false" } },
    };
    new TopicPolicy(
        name,
        {
            arn: topic.arn,
            policy: JSON.stringify({
                Version: "2012-10-17",
                Statement: [...(allowed ? [allowed] : []), tlsOnly],
            }),
        },
        { parent },
    );
    for (const { name: channel, protocol, endpoint } of channels) {
        new TopicSubscription(
            `${name}-${channel}`,
            {
                topic: topic.arn,
                protocol,
                endpoint,
                ...(protocol === "https" && { endpointAutoConfirms: true }),
            },
            { parent },
        );
    }
    return topic;
}
