import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { declareKey } from "../encryption";
import { type Channel } from "./channel";
import { SEVERITIES, type Severity, SEVERITY_MATRIX } from "../../core/numbers";
import { declareTopic } from "./topic";

/**
 * AWS services that publish as service principals. They cannot use the AWS managed key of SNS. EventBridge supports no
 * condition here, so each of its targets has a role instead.
 */
const PUBLISHERS = ["cloudwatch.amazonaws.com"];

/** Arguments of {@link SeverityTopics}. */
export interface SeverityTopicsArgs {
    /** Account whose services may publish. */
    accountId: string;
    region: string;
    /** Contacts of each severity. */
    channels: Record<Severity, readonly Channel[]>;
}

/** One encrypted topic for each severity of the matrix (section 4.1), and its contacts (section 8.1). */
export class SeverityTopics extends ComponentResource {
    /** ARN of each severity's topic, for the actions of alarms. */
    public readonly arns: Record<Severity, Output<string>>;
    /** ARN of their key, for publishers with a role. */
    public readonly keyArn: Output<string>;

    constructor(name: string, args: SeverityTopicsArgs, opts?: ComponentResourceOptions) {
        super("mcp:incident:SeverityTopics", name, {}, opts);

        const key = declareKey(
            name,
            {
                description: "Delivery of incident notifications",
                accountId: args.accountId,
                statements: [
                    {
                        Sid: "Publishers",
                        Effect: "Allow",
                        Principal: { Service: PUBLISHERS },
                        Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
                        Resource: "*",
                        Condition: { StringEquals: { "aws:SourceAccount": args.accountId } },
                    },
                ],
                protect: false,
            },
            this,
        );
        this.keyArn = key.arn;

        const declare = (severity: Severity): Output<string> => {
            const { impact, responseMinutes } = SEVERITY_MATRIX[severity];
            return declareTopic(
                `${name}-${severity.toLowerCase()}`,
                {
                    displayName: `${severity} ${impact}`,
                    tags: { severity, "response-minutes": String(responseMinutes) },
                    keyArn: key.arn,
                    accountId: args.accountId,
                    region: args.region,
                    publishers: PUBLISHERS,
                    channels: args.channels[severity],
                },
                this,
            ).arn;
        };
        this.arns = Object.fromEntries(SEVERITIES.map((severity) => [severity, declare(severity)])) as Record<
            Severity,
            Output<string>
        >;

        this.registerOutputs({ arns: this.arns });
    }
}
