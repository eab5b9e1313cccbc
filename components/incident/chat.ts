import { SlackChannelConfiguration } from "@pulumi/aws/chatbot/slackChannelConfiguration";
import { TeamsChannelConfiguration } from "@pulumi/aws/chatbot/teamsChannelConfiguration";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { declareServiceRole } from "../identity/serviceRole";

/** A Slack or Teams channel, by the ids that the apps show. */
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

/** The guardrail of Amazon Q Developer for the channel's members: read only. */
const GUARDRAIL = "arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess";

/**
 * Shows topics in chat channels through Amazon Q Developer in chat applications. An administrator must have authorized
 * the workspace or team once in its console. It shows alarms and escalations, but not notices of EventBridge, which are
 * plain text.
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

/** Graphs of alarms. CloudWatch does not support resource-level rights for these actions. */
const CHARTS = {
    actions: ["cloudwatch:GetMetricData"],
    resources: ["*"],
};
