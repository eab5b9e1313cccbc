import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { StateMachine } from "@pulumi/aws/sfn/stateMachine";
import { type ComponentResource, type Input, type Resource } from "@pulumi/pulumi";
import { declareServiceRole, type Rights } from "../identity/serviceRole";

/** Arguments of {@link declareStateMachine}. */
export interface StateMachineArgs {
    /** What it does, in Amazon States Language. */
    definition: object;
    accountId: string;
    /** What it may do, beside writing its log and its traces. */
    statements: Rights;
    /** Key of its log. It must admit CloudWatch to the group {@link logGroupOf} names. */
    keyArn: Input<string>;
    /** How long its log is kept, in days. */
    logDays: number;
}

/** AWS grants these on everything or not at all: they deliver the log and the traces. */
const OBSERVATION = [
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
];

/** Log group of a state machine. Only below this prefix its policy on the account does not grow with each machine. */
export function logGroupOf(name: string): string {
    return `/aws/vendedlogs/states/${name}`;
}

/** A state machine whose every step is logged and traced. */
export function declareStateMachine(
    name: string,
    args: StateMachineArgs,
    parent: ComponentResource,
    after: readonly Resource[] = [],
): StateMachine {
    const log = new LogGroup(
        name,
        { name: logGroupOf(name), retentionInDays: args.logDays, kmsKeyId: args.keyArn },
        { parent },
    );
    const role = declareServiceRole(
        name,
        {
            service: "states.amazonaws.com",
            accountId: args.accountId,
            statements: [...args.statements, { actions: OBSERVATION, resources: ["*"] }],
        },
        parent,
    );
    return new StateMachine(
        name,
        {
            name,
            roleArn: role.arn,
            definition: JSON.stringify(args.definition),
            loggingConfiguration: {
                level: "ALL",
                includeExecutionData: true,
                logDestination: log.arn.apply((arn) => `${arn}:*`),
            },
            tracingConfiguration: { enabled: true },
        },
        { parent, dependsOn: [...role.ready, ...after] },
    );
}
