import { Topic } from "@pulumi/aws/sns/topic";
import { TopicPolicy } from "@pulumi/aws/sns/topicPolicy";
import { TopicSubscription } from "@pulumi/aws/sns/topicSubscription";
import { ComponentResource, type ComponentResourceOptions, jsonStringify, type Output } from "@pulumi/pulumi";
import { declareKey } from "../encryption";
import { SEVERITIES, type Severity, SEVERITY_MATRIX } from "../../runbook/numbers";

/** AWS services that raise incidents. They cannot use the key that AWS manages for SNS. */
const PUBLISHERS = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "backup.amazonaws.com"];

/** Arguments of {@link SeverityTopics}. */
export interface SeverityTopicsArgs {
    /** Account whose services may publish. */
    accountId: string;
    /** Addresses told about each severity. Each must confirm its subscription once. */
    contacts: Record<Severity, readonly string[]>;
}

/** One encrypted topic for each severity of the matrix (section 4.1), and the people who are told (section 8.1). */
export class SeverityTopics extends ComponentResource {
    /** ARN of each severity's topic, for the actions of alarms. */
    public readonly arns: Record<Severity, Output<string>>;
    /** ARN of their key, for those who publish in a role of their own. */
    public readonly keyArn: Output<string>;

    constructor(name: string, args: SeverityTopicsArgs, opts?: ComponentResourceOptions) {
        super("mcp:incident:SeverityTopics", name, {}, opts);
        const fromThisAccount = { StringEquals: { "aws:SourceAccount": args.accountId } };

        const key = declareKey(
            name,
            {
                description: "Incident notifications on their way to people",
                accountId: args.accountId,
                statements: [
                    {
                        Sid: "Publishers",
                        Effect: "Allow",
                        Principal: { Service: PUBLISHERS },
                        Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
                        Resource: "*",
                        Condition: fromThisAccount,
                    },
                ],
                protect: false,
            },
            this,
        );

        this.keyArn = key.arn;

        const declare = (severity: Severity): Output<string> => {
            const topicName = `${name}-${severity.toLowerCase()}`;
            const { impact, responseMinutes } = SEVERITY_MATRIX[severity];
            const topic = new Topic(
                topicName,
                {
                    name: topicName,
                    displayName: `${severity} ${impact}`,
                    kmsMasterKeyId: key.arn,
                    tags: { severity, "response-minutes": String(responseMinutes) },
                },
                { parent: this },
            );
            new TopicPolicy(
                topicName,
                {
                    arn: topic.arn,
                    policy: jsonStringify({
                        Version: "2012-10-17",
                        Statement: [
                            {
                                Sid: "Publishers",
                                Effect: "Allow",
                                Principal: { Service: PUBLISHERS },
                                Action: "sns:Publish",
                                Resource: topic.arn,
                                Condition: fromThisAccount,
                            },
                            {
                                Sid: "TlsOnly",
                                Effect: "Deny",
                                Principal: "*",
                                Action: "sns:Publish",
                                Resource: topic.arn,
                                Condition: { Bool: { "aws:SecureTransport": "false" } },
                            },
                        ],
                    }),
                },
                { parent: this },
            );
            for (const endpoint of args.contacts[severity]) {
                new TopicSubscription(
                    `${topicName}-${endpoint}`,
                    { topic: topic.arn, protocol: "email", endpoint },
                    { parent: this },
                );
            }
            return topic.arn;
        };
        this.arns = Object.fromEntries(SEVERITIES.map((severity) => [severity, declare(severity)])) as Record<
            Severity,
            Output<string>
        >;

        this.registerOutputs({ arns: this.arns });
    }
}
