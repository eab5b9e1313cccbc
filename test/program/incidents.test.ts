import assert from "node:assert/strict";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { EXTERNAL_CONTACTS, LEVELS } from "../../core/numbers";
import { changesOf, linesOf, only, recordStack } from "../support";

const NAME = "mcp-production-escalation";
const TOPIC = "aws:sns/topic:Topic";
const SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription";
const MACHINE = "aws:sfn/stateMachine:StateMachine";

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */

describe("incidents", () => {
    let production: Recording;
    let inputsOf: (type: string, name: string) => any;
    let statesOf: (name: string) => Record<string, any>;
    before(async () => {
        production = await recordStack("production");
        inputsOf = (type, name) => displayed(only(production, type, name).inputs as never);
        statesOf = (name) => JSON.parse(inputsOf(MACHINE, name).definition).States;
    });

    it("call the levels of the runbook's matrix, each on a separate topic", () => {
        const called = LEVELS.map((level) => {
            const topic = `${NAME}-${level.toLowerCase()}`;
            const subscriptions = production.resources.filter(
                ({ type, name }) => type === SUBSCRIPTION && name.startsWith(`${topic}-`),
            );
            const states = statesOf(NAME);
            assert.equal(
                states[`Notify ${level}`].Arguments.TopicArn,
                `arn:aws:sns:ap-south-1:000000000000:${topic}`,
            );
            assert.equal(inputsOf(TOPIC, topic).name, topic);
            return [
                level,
                inputsOf(TOPIC, topic).displayName,
                subscriptions.map(({ inputs }) => inputs["endpoint"]),
                states[`Wait for ${level}`].Seconds / 60,
            ];
        });
        assert.deepEqual(called, [
            ["L1", "L1 On-call Engineer", ["oncall@nagarro.com"], 15],
            ["L2", "L2 Platform Lead", ["platform-lead@nagarro.com"], 30],
            ["L3", "L3 Architect", ["architect@nagarro.com"], 60],
            ["L4", "L4 VP Engineering", ["vp-eng@nagarro.com"], 120],
        ]);
    });

    it("are opened as OpsItems of their severity, those of P3 and P4 as a record", () => {
        const opened = production.resources
            .filter(({ type }) => /^aws:cloudwatch\/(metric|composite)Alarm:/.test(type))
            .map((alarm): any => displayed(alarm.inputs as never))
            .filter(({ alarmActions }) => alarmActions !== undefined)
            .map(({ tags, alarmActions }) => [
                tags.severity,
                ...alarmActions.filter((action: string) => action.includes(":opsitem:")),
            ]);
        const expected: Record<string, string[]> = {
            P1: ["arn:aws:ssm:ap-south-1:000000000000:opsitem:1#CATEGORY=Availability"],
            P2: ["arn:aws:ssm:ap-south-1:000000000000:opsitem:2#CATEGORY=Availability"],
            P3: ["arn:aws:ssm:ap-south-1:000000000000:opsitem:3#CATEGORY=Availability"],
            P4: ["arn:aws:ssm:ap-south-1:000000000000:opsitem:4#CATEGORY=Availability"],
        };
        assert.ok(["P1", "P2", "P3"].every((severity) => opened.some(([own]) => own === severity)));
        for (const [severity, ...actions] of opened) {
            assert.deepEqual(actions, expected[severity] ?? [], severity);
        }
    });

    it("record the external support on the incident", () => {
        const { Arguments } = statesOf(`${NAME}-incidents`)["Write the details"];
        const said: string = Arguments.OperationalData["external-contacts"].Value;
        for (const [who, { support, priority }] of Object.entries(EXTERNAL_CONTACTS)) {
            assert.ok(said.includes(`${who}: ${support} (${priority})`), said);
        }
    });

    it("are processed when an OpsItem is opened or resolved, and not for each of their records", () => {
        const { eventPattern } = inputsOf("aws:cloudwatch/eventRule:EventRule", `${NAME}-incidents`);
        assert.deepEqual(JSON.parse(eventPattern), {
            source: ["aws.ssm"],
            $or: [
                { "detail-type": ["OpsItem Create"] },
                { "detail-type": ["OpsItem Update"], detail: { status: ["Resolved"] } },
            ],
        });
        const [machine] = only(production, "aws:cloudwatch/eventTarget:EventTarget", `${NAME}-incidents`)
            .propertyDependencies["arn"]!;
        assert.match(machine!, /StateMachine::mcp-production-escalation-incidents$/);
    });

    it("may only start one state machine and change OpsItems", () => {
        const { policy } = inputsOf("aws:iam/rolePolicy:RolePolicy", `${NAME}-incidents`);
        const statements = JSON.parse(policy).Statement.slice(0, 2);
        assert.deepEqual(statements, [
            {
                Effect: "Allow",
                Action: ["states:StartExecution"],
                Resource: [`arn:aws:states:ap-south-1:000000000000:stateMachine:${NAME}`],
            },
            {
                Effect: "Allow",
                Action: ["ssm:GetOpsItem", "ssm:UpdateOpsItem"],
                Resource: ["arn:aws:ssm:ap-south-1:000000000000:opsitem/*"],
            },
        ]);
        assert.equal(
            statesOf(`${NAME}-incidents`)["Escalate"].Arguments.StateMachineArn,
            statements[0]!.Resource[0],
        );
    });

    it("are reported when no level acknowledged or the escalation failed", () => {
        const { eventPattern } = inputsOf("aws:cloudwatch/eventRule:EventRule", `${NAME}-failed`);
        assert.deepEqual(JSON.parse(eventPattern).detail, {
            stateMachineArn: [NAME, `${NAME}-incidents`].map(
                (name) => `arn:aws:states:ap-south-1:000000000000:stateMachine:${name}`,
            ),
            status: ["FAILED", "TIMED_OUT", "ABORTED"],
        });
        const [topic] = only(production, "aws:cloudwatch/eventTarget:EventTarget", `${NAME}-failed`)
            .propertyDependencies["arn"]!;
        assert.match(topic!, /Topic::mcp-production-incidents-p1$/);
    });

    it("send reminders while they are open", () => {
        const { scheduleExpression } = inputsOf("aws:scheduler/schedule:Schedule", `${NAME}-reminder`);
        assert.equal(scheduleExpression, "cron(15 * * * ? *)");
        assert.ok("Remind of each" in statesOf(`${NAME}-reminder`));
        const { KeyId } = statesOf(`${NAME}-reminder`)["Read the key of the topics"].Arguments;
        const { targetKeyId } = only(production, "aws:kms/alias:Alias", "mcp-production-incidents").inputs;
        assert.equal(KeyId, inputsOf("aws:kms/alias:Alias", "mcp-production-incidents").name);
        assert.ok(targetKeyId !== undefined);
    });

    it("reach people by e-mail, SMS, https endpoints and chats, as the values say", async () => {
        const reached = await recordStack(
            "production",
            "mcp:endpoints.pagerduty=https://events.example.com/integration/planted/enqueue",
            "mcp:incident.contacts.P1[1]=+911234567890",
            "mcp:incident.escalation.L1.contacts[0]=pagerduty",
            "mcp:incident.chat.ops.slack.workspace=T0123456789",
            "mcp:incident.chat.ops.slack.channel=C0123456789",
            "mcp:incident.chat.ops.severities[0]=P1",
            "mcp:incident.chat.ops.levels[0]=L1",
        );
        const own = (name: string): any => displayed(only(reached, SUBSCRIPTION, name).inputs as never);
        const sms = own("mcp-production-incidents-p1-+911234567890");
        assert.deepEqual([sms.protocol, sms.endpoint], ["sms", "+911234567890"]);
        const https = own(`${NAME}-l1-pagerduty`);
        assert.deepEqual([https.protocol, https.endpointAutoConfirms], ["https", true]);
        // Its address holds a key.
        assert.ok(!JSON.stringify(https).includes("planted"));
        const type = "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration";
        const chat = only(reached, type, "mcp-production-chat-ops");
        assert.deepEqual(
            chat.propertyDependencies["snsTopicArns"]!.map((urn) => urn.split("::").at(-1)),
            [`${NAME}-l1`, "mcp-production-incidents-p1"],
        );
        const { definition } = displayed(only(reached, MACHINE, NAME).inputs as never) as any;
        const { States } = JSON.parse(definition);
        assert.deepEqual(
            ["L1", "L2"].map((level) => States[`Notify ${level}`].Arguments.MessageStructure),
            ["json", undefined],
        );
    });

    it("wait longer where a level is given more time", async () => {
        const changes = await changesOf("production", "mcp:incident.escalation.L2.within=45m");
        assert.deepEqual(linesOf(changes), [`update ${MACHINE} ${NAME}`, `update ${TOPIC} ${NAME}-l2`]);
    });
});
