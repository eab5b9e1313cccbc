import assert from "node:assert/strict";
import { runSimulation } from "@cloud-copilot/iam-simulate";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { recordWithOutputs } from "../support";
import { OPTIONAL } from "../../cli/documentedAlarms";
import {
    ACCOUNT,
    arnOf,
    CODES,
    COPIES_ACCOUNT,
    outputsOf,
    type Path,
    pathsOf,
    type Request,
} from "./deliveryPaths";

/** Types of which each must be part of a path, or of use to none. */
const DELIVERING = [
    "aws:backup/restoreTestingSelection:RestoreTestingSelection",
    "aws:backup/selection:Selection",
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration",
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter",
    "aws:eks/podIdentityAssociation:PodIdentityAssociation",
    "aws:iam/role:Role",
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
    "aws:scheduler/schedule:Schedule",
    "aws:sfn/stateMachine:StateMachine",
    "aws:ssm/maintenanceWindowTask:MaintenanceWindowTask",
];

async function isAllowed(asked: Request): Promise<boolean> {
    // The simulation knows no encryption context with an ARN in it: another key takes its place on both sides.
    const text = JSON.stringify(asked).replaceAll("kms:EncryptionContext:aws:logs:arn", "aws:SourceArn");
    const {
        principal,
        action,
        resource,
        context,
        identity,
        policy,
        owner = ACCOUNT,
    } = JSON.parse(text) as Request;
    const result = await runSimulation(
        {
            request: {
                principal,
                action,
                resource: { resource, accountId: owner },
                contextVariables: context,
            },
            identityPolicies: identity.map((each, index) => ({ name: String(index), policy: each })),
            serviceControlPolicies: [],
            resourceControlPolicies: [],
            resourcePolicy: policy,
        },
        {},
    );
    assert.notEqual(result.resultType, "error", `${action} ${resource}: ${JSON.stringify(result)}`);
    return "overallResult" in result && result.overallResult === "Allowed";
}

/** Requests of a path that are refused, and imitations that are not. */
async function faultsOf(paths: readonly Path[]): Promise<string[]> {
    const faults: string[] = [];
    for (const { name, requests, imitations } of paths) {
        for (const request of requests) {
            if (!(await isAllowed(request))) {
                faults.push(`${name}: ${request.action} is refused`);
            }
        }
        for (const { what, request } of imitations) {
            if (await isAllowed(request)) {
                faults.push(`${name}: ${request.action} is allowed to ${what}`);
            }
        }
    }
    return faults;
}

const inputsOf = (recording: Recording, type: string) =>
    recording.resources
        .filter((resource) => resource.type === type)
        // eslint-disable-next-line @typescript-eslint/no-explicit-any -- inputs are looked into as they are
        .map(({ name, inputs }) => ({ name, ...(displayed(inputs as never) as any) }));

describe("delivery paths", () => {
    let production: Recording;
    let paths: Path[];
    before(async () => {
        production = await recordWithOutputs(
            "production",
            outputsOf,
            "mcp:incident.contacts.P1[1]=+911234567890",
            "mcp:incident.chat.ops.slack.workspace=T0123456789",
            "mcp:incident.chat.ops.slack.channel=C0123456789",
            "mcp:incident.chat.ops.severities[0]=P1",
            "mcp:incident.chat.staff.teams.tenant=00000000-0000-0000-0000-000000000000",
            "mcp:incident.chat.staff.teams.team=00000000-0000-0000-0000-000000000001",
            "mcp:incident.chat.staff.teams.channel=19:aaaa@thread.tacv2",
            "mcp:incident.chat.staff.levels[0]=L1",
        );
        paths = pathsOf(production);
    });

    it("are allowed to the real sender, and to no other service, account or resource", async () => {
        assert.ok(paths.length > 40, String(paths.length));
        assert.deepEqual(await faultsOf(paths), []);
    });

    for (const [where, edits] of Object.entries({
        "a second region": [],
        "a second account": [
            `mcp:copies.account.id=${COPIES_ACCOUNT}`,
            `mcp:copies.account.role=arn:aws:iam::${COPIES_ACCOUNT}:role/mcp-copies`,
        ],
    })) {
        it(`of copies in ${where} are allowed to the real sender alone`, async () => {
            const copied = await recordWithOutputs("production", outputsOf, ...OPTIONAL, ...edits);
            const added = pathsOf(copied).filter(({ name }) =>
                /^(copies|vault|event .*copy-failed)/.test(name),
            );
            assert.equal(added.length, edits.length === 0 ? 3 : 5);
            assert.deepEqual(await faultsOf(added), []);
            const covered = new Set(added.flatMap(({ covers }) => covers));
            const known = new Set(production.resources.map(({ urn }) => urn));
            const left = copied.resources.filter(
                ({ type, urn }) => DELIVERING.includes(type) && !known.has(urn) && !covered.has(urn),
            );
            assert.deepEqual(
                left.map(({ urn }) => urn),
                [],
            );
        });
    }

    it("include every target, role, schedule, state machine, subscription and stream", () => {
        const covered = new Set(paths.flatMap(({ covers }) => covers));
        const left = production.resources.filter(
            ({ type, urn }) => DELIVERING.includes(type) && !covered.has(urn),
        );
        assert.deepEqual(
            left.map(({ urn }) => urn),
            [],
        );
    });

    it("lead to every topic, and from every topic to somebody", () => {
        const published = paths.flatMap(({ requests }) =>
            requests.flatMap(({ action, resource }) => (action === "sns:Publish" ? [resource] : [])),
        );
        const subscribed = inputsOf(production, "aws:sns/topicSubscription:TopicSubscription").map(
            ({ topic }) => topic,
        );
        const topics = inputsOf(production, "aws:sns/topic:Topic").map(({ name }) =>
            arnOf("aws:sns/topic:Topic", name)!,
        );
        assert.deepEqual([...new Set(published)].sort(), [...topics].sort());
        assert.deepEqual([...new Set(subscribed)].sort(), [...topics].sort());
    });

    it("insert codes into messages, and never free text that could break them", () => {
        for (const { name, inputTransformer } of inputsOf(
            production,
            "aws:cloudwatch/eventTarget:EventTarget",
        )) {
            const { inputPaths = {}, inputTemplate } = inputTransformer ?? {};
            for (const path of Object.values(inputPaths)) {
                assert.ok(CODES.has(String(path)), `${name}: ${String(path)}`);
            }
            if (inputTemplate !== undefined) {
                assert.equal(typeof JSON.parse(inputTemplate), "string", name);
            }
        }
    });

    it("are reported where EventBridge is refused", () => {
        const watched = inputsOf(production, "aws:cloudwatch/metricAlarm:MetricAlarm")
            .filter(({ metricName }) => metricName === "FailedInvocations")
            .map(({ dimensions }) => dimensions.RuleName);
        const rules = inputsOf(production, "aws:cloudwatch/eventRule:EventRule").map(({ name }) => name);
        assert.deepEqual(watched.sort(), rules.sort());
    });

    describe("are found broken", () => {
        /** The faults after one change of a resource's inputs or of what they are made of. */
        async function changed(
            type: string,
            name: string,
            change: (inputs: Record<string, string>) => object,
            dependencies?: object,
        ): Promise<string[]> {
            const resources = production.resources.map((resource) =>
                resource.type === type && resource.name === name
                    ? {
                          ...resource,
                          inputs: { ...resource.inputs, ...change(resource.inputs as never) },
                          propertyDependencies: { ...resource.propertyDependencies, ...dependencies },
                      }
                    : resource,
            );
            assert.notDeepEqual(resources, production.resources);
            return faultsOf(pathsOf({ ...production, resources }));
        }
        const notice = "mcp-production-redis-backup-failed";

        it("where EventBridge publishes in its own name", async () => {
            assert.deepEqual(
                (
                    await changed(
                        "aws:cloudwatch/eventTarget:EventTarget",
                        notice,
                        () => ({ roleArn: null }),
                        { roleArn: [] },
                    )
                ).slice(0, 3),
                ["sns:Publish", "kms:Decrypt", "kms:GenerateDataKey"].map(
                    (action) => `event ${notice}: ${action} is refused`,
                ),
            );
        });

        it("where a role lacks the key of the topic", async () => {
            const without = ({ policy }: Record<string, string>) => ({
                policy: policy!.replaceAll("kms:GenerateDataKey", "kms:DescribeKey"),
            });
            assert.deepEqual(await changed("aws:iam/rolePolicy:RolePolicy", `${notice}-notice`, without), [
                `event ${notice}: kms:GenerateDataKey is refused`,
            ]);
        });

        it("where a trust asks for a key that the service does not send", async () => {
            const role = "mcp-production-audit-writer";
            assert.deepEqual(
                await changed("aws:iam/role:Role", role, ({ assumeRolePolicy }) => ({
                    assumeRolePolicy: assumeRolePolicy!.replace("sts:ExternalId", "aws:SourceAccount"),
                })),
                ["stream mcp-production-audit: sts:AssumeRole is refused"],
            );
        });

        it("where a topic admits anybody's alarms", async () => {
            const topic = "mcp-production-incidents-p1";
            const found = await changed("aws:sns/topicPolicy:TopicPolicy", topic, ({ policy }) => {
                const document = JSON.parse(policy!);
                delete document.Statement[0].Condition;
                return { policy: JSON.stringify(document) };
            });
            assert.deepEqual(found, [
                `alarms to arn:aws:sns:ap-south-1:${ACCOUNT}:${topic}: sns:Publish is allowed to another account`,
            ]);
        });
    });
});
