import { Topic } from "@pulumi/aws/sns/topic";
import { TopicPolicy } from "@pulumi/aws/sns/topicPolicy";
import { TopicSubscription } from "@pulumi/aws/sns/topicSubscription";
import { type ComponentResource, type Input } from "@pulumi/pulumi";
import { type Channel } from "./channel";

/** Arguments of {@link declareTopic}. */
export interface TopicArgs {
    /** Display name of the sender. */
    displayName: string;
    /** Default: none. */
    tags?: Record<string, string>;
    /** Key that encrypts the messages. */
    keyArn: Input<string>;
    accountId: string;
    region: string;
    /** AWS services that may publish for the account, in addition to its roles. Default: none. */
    publishers?: readonly string[];
    /** Subscriptions. An e-mail address must confirm once; endpoints confirm by themselves. */
    channels: readonly Channel[];
}

/** An encrypted topic that accepts messages over TLS only, and its subscriptions. */
export function declareTopic(name: string, args: TopicArgs, parent: ComponentResource): Topic {
    const { displayName, tags, keyArn, accountId, region, publishers, channels } = args;
    const topic = new Topic(name, { name, displayName, kmsMasterKeyId: keyArn, tags }, { parent });
    // Built from the name, so that a preview shows who may publish before the topic exists.
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
