import { SlackChannelConfiguration } from "@pulumi/aws/chatbot/slackChannelConfiguration";
import { TeamsChannelConfiguration } from "@pulumi/aws/chatbot/teamsChannelConfiguration";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { declareServiceRole } from "../identity/serviceRole";

/** A channel of Slack or Teams, by the ids that the apps show. */
export type ChatChannel =
    | { slack: { workspace: string; channel: string } }
    | { teams: { tenant: string; team: string; channel: string } };

/** Arguments of {@link Chat}. */
export interface ChatArgs {
    accountId: string;
    channel: ChatChannel;
    /** ARNs of the topics that the channel shows. */
    topics: Input<string>[];
}

/** What a reader of the channel may ask Amazon Q Developer at most: to look. */
const GUARDRAIL = "arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess";

/**
 * Topics shown in a chat by Amazon Q Developer in chat applications. The workspace or the team must have been authorized
 * once in its console. It shows alarms and escalations; notices of EventBridge, which are plain sentences, it leaves out.
 */
export class Chat extends ComponentResource {
    constructor(name: string, { accountId, channel, topics }: ChatArgs, opts?: ComponentResourceOptions) {
        super("mcp:incident:Chat", name, {}, opts);
        const role = declareServiceRole(
            name,
            { service: "chatbot.amazonaws.com", accountId, statements: [CHARTS] },
            this,
        );
        const common = {
            configurationName: name,
            iamRoleArn: role.arn,
            snsTopicArns: topics,
            guardrailPolicyArns: [GUARDRAIL],
            loggingLevel: "ERROR",
        };
        const options = { parent: this, dependsOn: role.ready };
        if ("slack" in channel) {
            const { workspace, channel: slackChannelId } = channel.slack;
            new SlackChannelConfiguration(
                name,
                { ...common, slackTeamId: workspace, slackChannelId },
                options,
            );
        } else {
            const { tenant: tenantId, team: teamId, channel: channelId } = channel.teams;
            new TeamsChannelConfiguration(name, { ...common, tenantId, teamId, channelId }, options);
        }
        this.registerOutputs();
    }
}

/** The graph of an alarm, beside its message. CloudWatch grants these on everything or not at all. */
const CHARTS = {
    actions: ["cloudwatch:GetMetricData"],
    resources: ["*"],
};
