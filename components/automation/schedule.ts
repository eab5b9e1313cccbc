import { Schedule } from "@pulumi/aws/scheduler/schedule";
import { type ComponentResource, type Input } from "@pulumi/pulumi";
import { TIME_ZONE } from "../../core/numbers";
import { declareServiceRole, type Rights } from "../identity/serviceRole";

/** What every schedule has. */
interface CommonArgs {
    /** Description. */
    description: string;
    accountId: string;
    /** Key that encrypts the schedule. */
    keyArn: Input<string>;
}

/** Arguments of {@link declareSchedule}. */
export interface ScheduleArgs extends CommonArgs {
    /** Six fields of AWS's cron, in the runbook's time zone. */
    cron: string;
    /** State machine that it starts. */
    stateMachineArn: Input<string>;
    /** Input, as JSON. Default: an empty object. */
    input?: Input<string>;
}

/** Arguments of {@link declareAnnouncement}. */
export interface AnnouncementArgs extends CommonArgs {
    /** `cron(…)` with AWS's six fields, or `at(…)` for a single time, in the runbook's time zone. */
    when: string;
    /** Topic of the message, and its key. */
    topic: { arn: Input<string>; keyArn: Input<string> };
    /** Text of the message. */
    message: string;
}

/** Starts a state machine on a schedule in the runbook's time zone. */
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

/** Publishes a message on a schedule in the runbook's time zone. */
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
                // Retries a failed start for an hour. After that, the next start is near.
                retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 10 },
            },
        },
        { parent, dependsOn: role.ready },
    );
}
