import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { ESCALATION_MATRIX, type Level, LEVELS } from "../../core/numbers";
import { declareNotice } from "../automation/notice";
import { declareStateMachine, logGroupOf } from "../automation/stateMachine";
import { declareTrigger } from "../automation/trigger";
import { declareKey, logsUse } from "../encryption";
import { escalationMachine } from "./escalationMachine";
import { ESCALATED, incidentMachine } from "./incidentMachine";
import { declareTopic } from "./topic";

/** Arguments of {@link Escalation}. */
export interface EscalationArgs {
    /** Name that the platform's alarms begin with. */
    platform: string;
    accountId: string;
    region: string;
    /** Who is called at each level, and how many seconds they have to answer. */
    levels: Record<Level, { contacts: readonly string[]; within: number }>;
    /** Who helps from outside: how they are reached, and on which terms or line. */
    external: Record<string, { support: string; priority: string }>;
    /** How long the logs are kept, in days. */
    logDays: number;
    /** Topic of the message that no level answered, or that the escalation itself failed; and the key of that topic. */
    topic: { arn: Input<string>; keyArn: Input<string> };
}

/**
 * Incidents of P1 and P2: their alarms open OpsItems, of which each is escalated once, level after level, until it is
 * in progress. Sections 4.2 and 8.1.
 */
export class Escalation extends ComponentResource {
    /** What an alarm of each escalated severity does, beside telling its topic: it opens an OpsItem. */
    public readonly actions: Record<keyof typeof ESCALATED, string>;

    constructor(name: string, args: EscalationArgs, opts?: ComponentResourceOptions) {
        super("mcp:incident:Escalation", name, {}, opts);
        const { platform, accountId, region, logDays } = args;
        const opsItem = (severity: string) =>
            `arn:aws:ssm:${region}:${accountId}:opsitem:${severity}#CATEGORY=Availability`;
        this.actions = { P1: opsItem(ESCALATED.P1), P2: opsItem(ESCALATED.P2) };

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
            const { contacts, within } = args.levels[level];
            return declareTopic(
                topicOf(level),
                {
                    displayName: `${level} ${ESCALATION_MATRIX[level].role}`,
                    tags: { level, "response-minutes": String(within / 60) },
                    keyArn: key.arn,
                    accountId,
                    region,
                    contacts,
                },
                this,
            );
        });
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
                ],
                keyArn: key.arn,
                logDays,
            },
            this,
            [escalation],
        );
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
                description: "Nobody answered, or the escalation itself failed",
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
}
