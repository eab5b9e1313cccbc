import assert from "node:assert/strict";
import { escalationMachine } from "../../components/incident/escalationMachine";
import { ESCALATION_MATRIX, LEVELS } from "../../core/numbers";
import { execute, type Fake, type Run, TaskError } from "./interpreter";

const MINUTE = 60;
const PUBLISH = "arn:aws:states:::sns:publish";
const LOOK = "arn:aws:states:::aws-sdk:ssm:getOpsItem";
const WRITE = "arn:aws:states:::aws-sdk:ssm:updateOpsItem";

const machine = escalationMachine({
    platform: "mcp-production",
    region: "ap-south-1",
    levels: LEVELS.map((level) => {
        const { role, minutes } = ESCALATION_MATRIX[level];
        return { level, role, topicArn: level, seconds: minutes * MINUTE, chat: level === "L2" };
    }),
});

/** An OpsItem that is open until somebody changes it, after so many minutes. */
function opsItem(change: { after: number; to: string } = { after: Infinity, to: "InProgress" }) {
    const records = new Map<string, string>();
    const fakes: Record<string, Fake> = {
        [PUBLISH]: () => ({ MessageId: "1" }),
        [LOOK]: ({ OpsItemId }, { seconds }) => {
            assert.equal(OpsItemId, "oi-1");
            const changed = seconds >= change.after * MINUTE;
            return {
                OpsItem: {
                    OpsItemId,
                    Status: changed ? change.to : "Open",
                    LastModifiedBy: changed ? "arn:aws:iam::000000000000:user/somebody" : "the machine",
                },
            };
        },
        [WRITE]: ({ OpsItemId, OperationalData, ...rest }) => {
            assert.deepEqual([OpsItemId, rest], ["oi-1", {}]);
            for (const [key, { Type, Value }] of Object.entries<{ Type: string; Value: string }>(
                OperationalData,
            )) {
                assert.equal(Type, "SearchableString");
                records.set(key, Value);
            }
        },
    };
    return { fakes, records };
}

const run = async (fakes: Record<string, Fake>) =>
    execute(machine, {
        fakes,
        input: {
            opsItem: "oi-1",
            severity: "1",
            title: "mcp-production-database-down",
            about: 'Not "healthy".\nProcedure: docs/runbook.md#database-connections',
        },
        time: "2026-02-01T00:00:00Z",
    });

/** Notified levels, and minutes after the start. */
const notified = ({ calls }: Run) =>
    calls
        .filter(({ resource }) => resource === PUBLISH)
        .map((call) => [call.arguments.TopicArn, call.seconds / MINUTE]);
const ALL = [
    ["L1", 0],
    ["L2", 15],
    ["L3", 45],
    ["L4", 105],
];

/** Fails if configured to, else calls the given fake. */
const failing = (when: (args: { TopicArn: string }) => boolean, then: Fake): Fake => {
    return (args, call) => {
        if (when(args)) {
            throw new TaskError("Sns.SnsException", "why");
        }
        return then(args, call);
    };
};

describe("the escalation", () => {
    it("calls every level when none acknowledges, and fails at the end with a report", async () => {
        const { fakes, records } = opsItem();
        const done = await run(fakes);
        assert.deepEqual(notified(done), ALL);
        assert.deepEqual(
            [done.status, done.error, done.cause, done.seconds],
            [
                "FAILED",
                "NotAcknowledged",
                "oi-1 is open, and all of L1, L2, L3, L4 were called",
                225 * MINUTE,
            ],
        );
        assert.deepEqual(
            [...records],
            [
                [
                    "escalation-L1",
                    "2026-02-01T00:00:00.000Z On-call Engineer notified, 15 minutes to acknowledge",
                ],
                [
                    "escalation-L2",
                    "2026-02-01T00:15:00.000Z Platform Lead notified, 30 minutes to acknowledge",
                ],
                ["escalation-L3", "2026-02-01T00:45:00.000Z Architect notified, 60 minutes to acknowledge"],
                [
                    "escalation-L4",
                    "2026-02-01T01:45:00.000Z VP Engineering notified, 120 minutes to acknowledge",
                ],
                ["escalation-end", "2026-02-01T03:45:00.000Z no level acknowledged"],
            ],
        );
    });

    it("makes one call after the other, each once", async () => {
        const { calls } = await run(opsItem({ after: 20, to: "InProgress" }).fakes);
        assert.deepEqual(
            calls.map(({ resource, seconds }) => [resource.split(":").at(-1), seconds / MINUTE]),
            [
                ["publish", 0],
                ["updateOpsItem", 0],
                ["getOpsItem", 15],
                ["publish", 15],
                ["updateOpsItem", 15],
                ["getOpsItem", 45],
                ["updateOpsItem", 45],
            ],
        );
    });

    it("tells what it is, by when to answer, and the command that does", async () => {
        const { calls } = await run(opsItem().fakes);
        const { Subject, Message } = calls[0]!.arguments;
        assert.equal(Subject, "P1 L1: acknowledge oi-1");
        assert.equal(
            Message,
            [
                "P1 of mcp-production: mcp-production-database-down",
                'Not "healthy".\nProcedure: docs/runbook.md#database-connections',
                "You are L1 (On-call Engineer). Acknowledge within 15 minutes, or L2 (Platform Lead) is called:",
                "aws ssm update-ops-item --region ap-south-1 --status InProgress --ops-item-id oi-1",
                "Details, and the levels that were notified before you:",
                "aws ssm get-ops-item --region ap-south-1 --ops-item-id oi-1",
            ].join("\n\n"),
        );
        const last = calls.filter(({ resource }) => resource === PUBLISH).at(-1)!.arguments;
        assert.match(last.Message, /Acknowledge within 120 minutes, or no further level is called:/);
        for (const { arguments: args } of calls.filter(({ resource }) => resource === PUBLISH)) {
            // SNS takes nothing longer, and no line breaks.
            assert.match(args.Subject, /^[ -~]{1,100}$/);
        }
    });

    it("is shown in a chat where a level has one, and to the others as it is", async () => {
        const { calls } = await run(opsItem().fakes);
        const { MessageStructure, Subject, Message } = calls.filter(
            ({ resource }) => resource === PUBLISH,
        )[1]!.arguments;
        assert.equal(MessageStructure, "json");
        const { default: text, https } = JSON.parse(Message);
        assert.match(text, /^P1 of mcp-production: .*\n\nNot "healthy"\./);
        // The only form that Amazon Q Developer shows beside the messages of AWS.
        assert.deepEqual(JSON.parse(https), {
            version: "1.0",
            source: "custom",
            content: { textType: "client-markdown", title: Subject, description: text },
        });
    });

    it("ends when L1 answers", async () => {
        const { fakes, records } = opsItem({ after: 4, to: "InProgress" });
        const done = await run(fakes);
        assert.deepEqual(
            [done.status, done.seconds, notified(done)],
            ["SUCCEEDED", 15 * MINUTE, [["L1", 0]]],
        );
        assert.equal(
            records.get("escalation-end"),
            "2026-02-01T00:15:00.000Z InProgress by arn:aws:iam::000000000000:user/somebody after L1 (On-call Engineer) was notified",
        );
    });

    it("ends when L3 answers", async () => {
        const { fakes, records } = opsItem({ after: 100, to: "InProgress" });
        const done = await run(fakes);
        assert.deepEqual([done.status, notified(done)], ["SUCCEEDED", ALL.slice(0, 3)]);
        assert.match(records.get("escalation-end")!, /^2026-02-01T01:45:00.000Z InProgress by .* after L3 /);
    });

    it("ends when it is resolved without having been acknowledged", async () => {
        const done = await run(opsItem({ after: 20, to: "Resolved" }).fakes);
        assert.deepEqual([done.status, notified(done)], ["SUCCEEDED", ALL.slice(0, 2)]);
    });

    it("goes on when the alarm recovers and no level acknowledged: it never reads the alarm", async () => {
        const done = await run(opsItem().fakes);
        assert.deepEqual(notified(done), ALL);
        assert.deepEqual([...new Set(done.calls.map(({ resource }) => resource))].sort(), [
            LOOK,
            WRITE,
            PUBLISH,
        ]);
    });

    it("retries a failed notification", async () => {
        const { fakes, records } = opsItem({ after: 10, to: "InProgress" });
        let left = 2;
        const done = await run({ ...fakes, [PUBLISH]: failing(() => left-- > 0, fakes[PUBLISH]!) });
        assert.equal(done.status, "SUCCEEDED");
        assert.deepEqual(
            done.calls.filter(({ resource }) => resource === PUBLISH).map(({ seconds }) => seconds),
            [0, 5, 15],
        );
        assert.match(records.get("escalation-L1")!, /notified, 15 minutes to acknowledge$/);
    });

    it("calls the next level at once if a level cannot be notified, and records it", async () => {
        const { fakes, records } = opsItem({ after: 20, to: "InProgress" });
        const done = await run({
            ...fakes,
            [PUBLISH]: failing(({ TopicArn }) => TopicArn === "L1", fakes[PUBLISH]!),
        });
        const [first, ...others] = notified(done).filter(([level]) => level !== "L1");
        // Four more attempts, for 75 seconds.
        assert.deepEqual([first, others], [["L2", 75 / MINUTE], []]);
        assert.equal(done.status, "SUCCEEDED");
        assert.equal(
            records.get("escalation-L1"),
            "2026-02-01T00:01:15.000Z On-call Engineer could not be notified: Sns.SnsException",
        );
    });

    it("goes on where nothing can be written, and calls on where nothing can be seen", async () => {
        const { fakes } = opsItem({ after: 0, to: "InProgress" });
        const failure: Fake = () => {
            throw new TaskError("Ssm.SsmException", "why");
        };
        const unwritten = await run({ ...fakes, [WRITE]: failure });
        assert.deepEqual([unwritten.status, notified(unwritten)], ["SUCCEEDED", [["L1", 0]]]);
        const unseen = await run({ ...fakes, [LOOK]: failure });
        assert.deepEqual(
            [unseen.error, notified(unseen).map(([level]) => level)],
            ["NotAcknowledged", ["L1", "L2", "L3", "L4"]],
        );
    });
});
