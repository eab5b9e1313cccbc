import { Schedule } from "@pulumi/aws/scheduler/schedule";
import { type ComponentResource, type Input } from "@pulumi/pulumi";
import { TIME_ZONE } from "../../core/numbers";
import { declareServiceRole, type Rights } from "../identity/serviceRole";

/** What every schedule has. */
interface CommonArgs {
    /** What it is for, in words. */
    description: string;
    accountId: string;
    /** Key that the schedule is encrypted with. */
    keyArn: Input<string>;
}

/** Arguments of {@link declareSchedule}. */
export interface ScheduleArgs extends CommonArgs {
    /** Six fields of AWS's cron, in the zone of the runbook. */
    cron: string;
    /** State machine that it starts. */
    stateMachineArn: Input<string>;
    /** What it starts with, as JSON. Default: an empty object. */
    input?: Input<string>;
}

/** Arguments of {@link declareAnnouncement}. */
export interface AnnouncementArgs extends CommonArgs {
    /** When: `cron(…)` of AWS's six fields, or `at(…)` for once, in the zone of the runbook. */
    when: string;
    /** Topic that is told, and its key. */
    topic: { arn: Input<string>; keyArn: Input<string> };
    /** What it is told. */
    message: string;
}

/** Starts a state machine by the clock of the runbook's zone. */
export function declareSchedule(name: string, args: ScheduleArgs, parent: ComponentResource): Schedule {
    return declare(
        name,
        args,
        {
            expression: `cron(${args.cron})`,
            arn: args.stateMachineArn,
            input: args.input ?? "{}",
            statements: [{ actions: ["states:StartExecution"], resources: [args.stateMachineArn] }],
        },
        parent,
    );
}

/** Tells people something by the clock of the runbook's zone. */
export function declareAnnouncement(
    name: string,
    { topic, ...args }: AnnouncementArgs,
    parent: ComponentResource,
): Schedule {
    return declare(
        name,
        args,
        {
            expression: args.when,
            arn: topic.arn,
            input: args.message,
            statements: [
                { actions: ["sns:Publish"], resources: [topic.arn] },
                { actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [topic.keyArn] },
            ],
        },
        parent,
    );
}

function declare(
    name: string,
    { description, accountId, keyArn }: CommonArgs,
    target: {
        expression: string;
        arn: Input<string>;
        input: Input<string>;
        statements: Rights;
    },
    parent: ComponentResource,
): Schedule {
    const role = declareServiceRole(
        `${name}-schedule`,
        {
            service: "scheduler.amazonaws.com",
            accountId,
            statements: [...target.statements, { actions: ["kms:Decrypt"], resources: [keyArn] }],
        },
        parent,
    );
    return new Schedule(
        name,
        {
            name,
            description,
            scheduleExpression: target.expression,
            scheduleExpressionTimezone: TIME_ZONE,
            flexibleTimeWindow: { mode: "OFF" },
            kmsKeyArn: keyArn,
            target: {
                arn: target.arn,
                roleArn: role.arn,
                input: target.input,
                // A start that fails is tried again for an hour; later than that it is the next one's turn.
                retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 10 },
            },
        },
        { parent, dependsOn: role.ready },
    );
}
