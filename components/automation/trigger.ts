import { EventRule } from "@pulumi/aws/cloudwatch/eventRule";
import { EventTarget } from "@pulumi/aws/cloudwatch/eventTarget";
import { type StateMachine } from "@pulumi/aws/sfn/stateMachine";
import { type ComponentResource } from "@pulumi/pulumi";
import { declareServiceRole } from "../identity/serviceRole";

/** Arguments of {@link declareTrigger}. */
export interface TriggerArgs {
    /** What happened, as a short description. */
    description: string;
    /** Event pattern of AWS. */
    pattern: object;
    /** State machine that is started, with the event as its input. */
    stateMachine: StateMachine;
    /** Its ARN, built from its name, so that a preview shows it before the machine exists. */
    stateMachineArn: string;
    accountId: string;
    region: string;
}

/** Starts a state machine on an event of AWS. EventBridge may deliver an event twice. */
export function declareTrigger(name: string, args: TriggerArgs, parent: ComponentResource): void {
    const role = declareServiceRole(
        `${name}-trigger`,
        {
            service: "events.amazonaws.com",
            accountId: args.accountId,
            sourceArn: `arn:aws:events:${args.region}:${args.accountId}:rule/${name}`,
            statements: [{ actions: ["states:StartExecution"], resources: [args.stateMachineArn] }],
        },
        parent,
    );
    const rule = new EventRule(
        name,
        { name, description: args.description, eventPattern: JSON.stringify(args.pattern) },
        { parent },
    );
    new EventTarget(
        name,
        { rule: rule.name, arn: args.stateMachine.arn, roleArn: role.arn },
        { parent, dependsOn: role.ready },
    );
}
