import { type Key } from "@pulumi/aws/kms/key";
import { ComponentResource, type ComponentResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import { ESCALATION_MATRIX, type Level, LEVELS, SEVERITIES, type Severity } from "../../core/numbers";
import { declareNotice } from "../automation/notice";
import { declareSchedule } from "../automation/schedule";
import { declareStateMachine, logGroupOf } from "../automation/stateMachine";
import { declareTrigger } from "../automation/trigger";
import { declareKey, logsUse } from "../encryption";
import { type Channel } from "./channel";
import { escalationMachine } from "./escalationMachine";
import { type ESCALATED, incidentMachine } from "./incidentMachine";
import { reminderMachine } from "./reminderMachine";
import { declareTopic } from "./topic";

/** Arguments of {@link Escalation}. */
export interface EscalationArgs {
    /** Prefix of the platform's alarm names. */
    platform: string;
    accountId: string;
    region: string;
    /** Role of each level, seconds to acknowledge, and whether a chat shows its calls. */
    levels: Record<Level, { channels: readonly Channel[]; within: number; chat: boolean }>;
    /** External support: how to reach it, and on which terms. */
    external: Record<string, { support: string; priority: string }>;
    /** Retention of the logs, in days. */
    logDays: number;
    /** Topics for reminders of open incidents, and their key. */
    severityTopics: {
        arns: Record<keyof typeof ESCALATED, string>;
        keyArn: Input<string>;
        keyAlias: string;
    };
    /** How long an incident may stay unchanged, in seconds. */
    staleSeconds: number;
    /** Topic for an escalation that no level acknowledged, or that failed, and its key. */
    topic: { arn: Input<string>; keyArn: Input<string> };
}

/**
 * Incidents of P1 and P2: their alarms open OpsItems. Each OpsItem is escalated once, level by level, until its status
 * is in progress. Sections 4.2 and 8.1.
 */
export class Escalation extends ComponentResource {
    /** Action of an alarm of each severity, in addition to its topic: it opens an OpsItem. */
    public readonly actions: Record<Severity, string>;
    /** ARN of each level's topic. */
    public readonly topics: Record<Level, Output<string>>;

    constructor(name: string, args: EscalationArgs, opts?: ComponentResourceOptions) {
        super("mcp:incident:Escalation", name, {}, opts);
        const { platform, accountId, region, logDays } = args;
        this.actions = Object.fromEntries(
            SEVERITIES.map((severity, index) => [
                severity,
                // OpsItems number severities from 1 to 4.
                `arn:aws:ssm:${region}:${accountId}:opsitem:${index + 1}#CATEGORY=Availability`,
            ]),
        ) as Record<Severity, string>;

        const incidentsName = `${name}-incidents`;
        const machineArn = (machine: string) =>
            `arn:aws:states:${region}:${accountId}:stateMachine:${machine}`;
        const topicArn = (topic: string) => `arn:aws:sns:${region}:${accountId}:${topic}`;
        const topicOf = (level: Level) => `${name}-${level.toLowerCase()}`;
        const key = declareKey(
            name,
            {
                description: "Escalation of incidents: its messages and its logs",
                accountId,
                statements: [logsUse(args, logGroupOf(name))],
                protect: false,
            },
            this,
        );
        const topics = LEVELS.map((level) => {
            const { channels, within } = args.levels[level];
            return declareTopic(
                topicOf(level),
                {
                    displayName: `${level} ${ESCALATION_MATRIX[level].role}`,
                    tags: { level, "response-minutes": String(within / 60) },
                    keyArn: key.arn,
                    accountId,
                    region,
                    channels,
                },
                this,
            );
        });
        this.topics = Object.fromEntries(
            LEVELS.map((level, index) => [level, topics[index]!.arn]),
        ) as typeof this.topics;
        const onOpsItems = (...actions: string[]) => ({
            actions,
            resources: [`arn:aws:ssm:${region}:${accountId}:opsitem/*`],
        });

        const escalation = declareStateMachine(
            name,
            {
                definition: escalationMachine({
                    platform,
                    region,
                    levels: LEVELS.map((level) => ({
                        level,
                        role: ESCALATION_MATRIX[level].role,
                        topicArn: topicArn(topicOf(level)),
                        seconds: args.levels[level].within,
                        chat: args.levels[level].chat,
                    })),
                }),
                accountId,
                statements: [
                    { actions: ["sns:Publish"], resources: LEVELS.map((level) => topicArn(topicOf(level))) },
                    { actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [key.arn] },
                    onOpsItems("ssm:GetOpsItem", "ssm:UpdateOpsItem"),
                ],
                keyArn: key.arn,
                logDays,
            },
            this,
            topics,
        );
        const incidents = declareStateMachine(
            incidentsName,
            {
                definition: incidentMachine({
                    platform,
                    region,
                    escalationArn: machineArn(name),
                    external: Object.entries(args.external)
                        .map(([who, { support, priority }]) => `${who}: ${support} (${priority})`)
                        .join("; "),
                }),
                accountId,
                statements: [
                    { actions: ["states:StartExecution"], resources: [machineArn(name)] },
                    onOpsItems("ssm:GetOpsItem", "ssm:UpdateOpsItem"),
                    {
                        actions: ["cloudwatch:DescribeAlarms"],
                        resources: [`arn:aws:cloudwatch:${region}:${accountId}:alarm:${platform}-*`],
                    },
                ],
                keyArn: key.arn,
                logDays,
            },
            this,
            [escalation],
        );
        this.declareReminder(`${name}-reminder`, { ...args, l1TopicArn: topicArn(topicOf("L1")) }, key);
        declareTrigger(
            incidentsName,
            {
                description: "An OpsItem was opened or resolved",
                pattern: {
                    source: ["aws.ssm"],
                    $or: [
                        { "detail-type": ["OpsItem Create"] },
                        { "detail-type": ["OpsItem Update"], detail: { status: ["Resolved"] } },
                    ],
                },
                stateMachine: incidents,
                stateMachineArn: machineArn(incidentsName),
                accountId,
                region,
            },
            this,
        );
        declareNotice(
            `${name}-failed`,
            {
                description: "No level acknowledged, or the escalation failed",
                pattern: {
                    source: ["aws.states"],
                    "detail-type": ["Step Functions Execution Status Change"],
                    detail: {
                        stateMachineArn: [machineArn(name), machineArn(incidentsName)],
                        status: ["FAILED", "TIMED_OUT", "ABORTED"],
                    },
                },
                topic: args.topic,
                accountId,
                region,
                parts: { status: "$.detail.status", error: "$.detail.error", run: "$.detail.executionArn" },
                sentence: `Escalation of ${platform} <status>: <error>. What it did: aws stepfunctions get-execution-history --execution-arn <run>`,
            },
            this,
        );
        this.registerOutputs({ actions: this.actions });
    }

    /** Hourly, for incidents that stayed unchanged, and a key without which alarms reach nobody. */
    private declareReminder(name: string, args: EscalationArgs & { l1TopicArn: string }, key: Key): void {
        const { platform, accountId, region, severityTopics, staleSeconds, l1TopicArn } = args;
        const machine = declareStateMachine(
            name,
            {
                definition: reminderMachine({
                    platform,
                    region,
                    topics: severityTopics.arns,
                    keyAlias: severityTopics.keyAlias,
                    l1TopicArn,
                    staleSeconds,
                }),
                accountId,
                statements: [
                    {
                        actions: ["sns:Publish"],
                        resources: [...Object.values(severityTopics.arns), l1TopicArn],
                    },
                    {
                        actions: ["kms:Decrypt", "kms:GenerateDataKey"],
                        resources: [severityTopics.keyArn, key.arn],
                    },
                    { actions: ["kms:DescribeKey"], resources: [severityTopics.keyArn] },
                    // AWS does not support resource-level rights for this action.
                    { actions: ["ssm:DescribeOpsItems"], resources: ["*"] },
                ],
                keyArn: key.arn,
                logDays: args.logDays,
            },
            this,
        );
        declareSchedule(
            name,
            {
                description: "Reminds of incidents that are not over",
                cron: "15 * * * ? *",
                stateMachineArn: machine.arn,
                accountId,
                keyArn: key.arn,
            },
            this,
        );
    }
}
