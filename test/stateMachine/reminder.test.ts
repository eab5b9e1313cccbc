import assert from "node:assert/strict";
import { reminderMachine } from "../../components/incident/reminderMachine";
import { execute, type Fake, TaskError } from "./interpreter";

const LIST = "arn:aws:states:::aws-sdk:ssm:describeOpsItems";
const KEY = "arn:aws:states:::aws-sdk:kms:describeKey";
const PUBLISH = "arn:aws:states:::sns:publish";

const machine = reminderMachine({
    platform: "mcp-production",
    region: "ap-south-1",
    topics: { P1: "topic-p1", P2: "topic-p2" },
    keyAlias: "alias/mcp-production-incidents",
    l1TopicArn: "topic-l1",
    staleSeconds: 4 * 3600,
});

const item = (id: string, Severity: string, Status: string) => ({
    OpsItemId: id,
    Severity,
    Status,
    Title: "mcp-production-database",
});

/** Reminds of OpsItems; returns what was published. */
async function remind(
    items: object[],
    publish: Fake = () => ({ MessageId: "1" }),
    key: Fake = () => ({ KeyMetadata: { KeyState: "Enabled" } }),
) {
    let filters: unknown;
    const done = await execute(machine, {
        fakes: {
            [LIST]: ({ OpsItemFilters }) => {
                filters = OpsItemFilters;
                return { OpsItemSummaries: items };
            },
            [KEY]: key,
            [PUBLISH]: publish,
        },
        input: {},
        time: "2026-02-01T12:00:00Z",
    });
    const published = done.calls
        .filter(({ resource }) => resource === PUBLISH)
        .map(({ arguments: { TopicArn, Subject, Message } }) => ({ TopicArn, Subject, Message }));
    return { status: done.status, filters, published };
}

describe("the reminder", () => {
    it("tells the topic of each severity what is not over and was not touched", async () => {
        const { status, filters, published } = await remind([
            item("oi-1", "1", "InProgress"),
            item("oi-2", "2", "Open"),
        ]);
        assert.equal(status, "SUCCEEDED");
        assert.deepEqual(filters, [
            { Key: "Status", Values: ["Open", "InProgress", "Pending"], Operator: "Equal" },
            { Key: "Title", Values: ["mcp-production"], Operator: "Contains" },
            { Key: "LastModifiedTime", Values: ["2026-02-01T08:00:00.000Z"], Operator: "LessThan" },
        ]);
        assert.deepEqual(
            published.map(({ TopicArn, Subject }) => [TopicArn, Subject]),
            [
                ["topic-p1", "P1: oi-1 waits"],
                ["topic-p2", "P2: oi-2 waits"],
            ],
        );
        assert.match(
            published[0]!.Message,
            /^P1 of mcp-production is InProgress and was not touched for 4 hours: mcp-production-database\n/,
        );
    });

    it("is silent where there is nothing, and about P3 and P4", async () => {
        assert.deepEqual((await remind([])).published, []);
        const { status, published } = await remind([item("oi-3", "3", "Open"), item("oi-4", "4", "Open")]);
        assert.deepEqual([status, published], ["SUCCEEDED", []]);
    });

    it("calls L1 while the key of the alarms' topics is disabled or gone, and reminds as well", async () => {
        for (const [key, found] of [
            [() => ({ KeyMetadata: { KeyState: "Disabled" } }), "Disabled"],
            [
                () => {
                    throw new TaskError("Kms.NotFoundException", "why");
                },
                "Kms.NotFoundException",
            ],
        ] as const) {
            const { status, published } = await remind([item("oi-1", "1", "InProgress")], undefined, key);
            assert.equal(status, "SUCCEEDED");
            assert.deepEqual(
                published.map(({ TopicArn }) => TopicArn),
                ["topic-l1", "topic-p1"],
            );
            assert.ok(published[0]!.Message.includes(`is not enabled (${found})`), published[0]!.Message);
        }
    });

    it("goes on with the others where one cannot be told", async () => {
        const { status, published } = await remind(
            [item("oi-1", "1", "InProgress"), item("oi-2", "2", "Open")],
            ({ TopicArn }) => {
                if (TopicArn === "topic-p1") throw new TaskError("Sns.SnsException", "why");
                return { MessageId: "1" };
            },
        );
        assert.equal(status, "SUCCEEDED");
        assert.equal(published.at(-1)!.TopicArn, "topic-p2");
    });
});
