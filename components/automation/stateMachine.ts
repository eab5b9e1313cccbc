import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { StateMachine } from "@pulumi/aws/sfn/stateMachine";
import { type ComponentResource, type Input, type Resource } from "@pulumi/pulumi";
import { declareServiceRole, type Rights } from "../identity/serviceRole";

/** Arguments of {@link declareStateMachine}. */
export interface StateMachineArgs {
    /** Definition, in Amazon States Language. */
    definition: object;
    accountId: string;
    /** AWS rights, in addition to those for its log and traces. */
    statements: Rights;
    /** Key of its log. Its policy must admit CloudWatch to the log group {@link logGroupOf} returns. */
    keyArn: Input<string>;
    /** Retention of the log, in days. */
    logDays: number;
}

/** Log and trace delivery. AWS does not support resource-level rights for these actions. */
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

/**
 * Log group of a state machine. Below this prefix, the account's log resource policy does not grow with each machine.
 */
export function logGroupOf(name: string): string {
    return `/aws/vendedlogs/states/${name}`;
}

/** A state machine with logs and traces of every step. */
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
