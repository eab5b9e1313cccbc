import { Schedule } from "@pulumi/aws/scheduler/schedule";
import { type ComponentResource, type Input } from "@pulumi/pulumi";
import { TIME_ZONE } from "../../runbook/numbers";
import { declareServiceRole } from "../identity/serviceRole";

/** Arguments of {@link declareSchedule}. */
export interface ScheduleArgs {
    /** What it is for, in words. */
    description: string;
    /** Six fields of AWS's cron, in the zone of the runbook. */
    cron: string;
    /** State machine that it starts. */
    stateMachineArn: Input<string>;
    accountId: string;
    /** Key that the schedule is encrypted with. */
    keyArn: Input<string>;
}

/** Starts a state machine by the clock of the runbook's zone. */
export function declareSchedule(name: string, args: ScheduleArgs, parent: ComponentResource): Schedule {
    const role = declareServiceRole(
        `${name}-schedule`,
        {
            service: "scheduler.amazonaws.com",
            accountId: args.accountId,
            statements: [
                { actions: ["states:StartExecution"], resources: [args.stateMachineArn] },
                { actions: ["kms:Decrypt"], resources: [args.keyArn] },
            ],
        },
        parent,
    );
    return new Schedule(
        name,
        {
            name,
            description: args.description,
            scheduleExpression: `cron(${args.cron})`,
            scheduleExpressionTimezone: TIME_ZONE,
            flexibleTimeWindow: { mode: "OFF" },
            kmsKeyArn: args.keyArn,
            target: {
                arn: args.stateMachineArn,
                roleArn: role.arn,
                input: "{}",
                // A start that fails is tried again for an hour; later than that it is the next one's turn.
                retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 10 },
            },
        },
        { parent, dependsOn: role.ready },
    );
}
