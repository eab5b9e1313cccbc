import assert from "node:assert/strict";
import { incidentMachine } from "../../components/incident/incidentMachine";
import { execute, type Fake, TaskError } from "./interpreter";

const START = "arn:aws:states:::aws-sdk:sfn:startExecution";
const LOOK = "arn:aws:states:::aws-sdk:ssm:getOpsItem";
const WRITE = "arn:aws:states:::aws-sdk:ssm:updateOpsItem";
const DESCRIBE = "arn:aws:states:::aws-sdk:cloudwatch:describeAlarms";

const machine = incidentMachine({
    platform: "mcp-production",
    region: "ap-south-1",
    escalationArn: "arn:escalation",
    external: 'AWS Support: AWS Console (Business/Enterprise); Nagarro: "the line"',
});

interface OpsItem {
    Title: string;
    Severity?: string;
    Status: string;
    OperationalData: Record<string, { Type?: string; Value: string }>;
    [key: string]: unknown;
}

/** As CloudWatch opens one, changed where it is said. */
const opened = (change: Partial<OpsItem> = {}): OpsItem => ({
    OpsItemId: "oi-1",
    Title: "CloudWatch alarm - 'mcp-production-database-down' is in ALARM state",
    Severity: "1",
    Status: "Open",
    CreatedTime: "2026-02-01T00:00:00Z",
    LastModifiedTime: "2026-02-01T02:00:00Z",
    OperationalData: {
        "/aws/resources": {
            Value: '[{"arn":"arn:aws:cloudwatch:ap-south-1:000000000000:alarm:mcp-production-database-down"}]',
        },
    },
    ...change,
});

/** Systems Manager with one OpsItem, and Step Functions, which starts one execution of a name. */
function aws(item: OpsItem) {
    const executions = new Map<string, { input: string; running: boolean }>();
    const fakes: Record<string, Fake> = {
        [LOOK]: ({ OpsItemId }) => {
            assert.equal(OpsItemId, "oi-1");
            return { OpsItem: item };
        },
        [WRITE]: ({ OpsItemId, OperationalData, ...rest }) => {
            assert.deepEqual([OpsItemId, rest], ["oi-1", {}]);
            Object.assign(item.OperationalData, OperationalData);
        },
        [DESCRIBE]: ({ AlarmNames, AlarmTypes }) => {
            assert.deepEqual(AlarmTypes, ["CompositeAlarm", "MetricAlarm"]);
            const known = AlarmNames[0] === "mcp-production-database-down";
            return {
                CompositeAlarms: known ? [{ AlarmDescription: "The database is down." }] : [],
                MetricAlarms: [],
            };
        },
        [START]: ({ StateMachineArn, Name, Input }) => {
            assert.equal(StateMachineArn, "arn:escalation");
            const known = executions.get(Name);
            if (known !== undefined && !(known.running && known.input === Input)) {
                throw new TaskError("Sfn.ExecutionAlreadyExistsException", "its name");
            }
            executions.set(Name, { input: Input, running: true });
            return { ExecutionArn: Name };
        },
    };
    const report = async (type: string) =>
        execute(machine, {
            fakes,
            input: {
                source: "aws.ssm",
                "detail-type": type,
                detail: { "ops-item-id": "oi-1", status: item.Status },
            },
        });
    const record = (key: string) => item.OperationalData[key]?.Value;
    return { executions, fakes, report, record };
}

describe("an incident", () => {
    it("is escalated under its own name, with what its reader needs", async () => {
        const { executions, report, record } = aws(opened());
        assert.equal((await report("OpsItem Create")).status, "SUCCEEDED");
        assert.deepEqual([...executions.keys()], ["oi-1"]);
        assert.deepEqual(JSON.parse(executions.get("oi-1")!.input), {
            opsItem: "oi-1",
            severity: "1",
            title: "CloudWatch alarm - 'mcp-production-database-down' is in ALARM state",
            about: "The database is down.",
        });
        assert.equal(record("about"), "The database is down.");
        assert.equal(record("response"), "P1 Complete outage: respond within 15 minutes");
        assert.equal(
            record("acknowledge"),
            "aws ssm update-ops-item --region ap-south-1 --status InProgress --ops-item-id oi-1",
        );
        assert.equal(
            record("external-contacts"),
            'AWS Support: AWS Console (Business/Enterprise); Nagarro: "the line"',
        );
    });

    it("is escalated once, however often it is reported, also when that is over or its title was edited", async () => {
        const item = opened();
        const { executions, report } = aws(item);
        for (let times = 0; times < 3; times += 1) {
            assert.equal((await report("OpsItem Create")).status, "SUCCEEDED");
        }
        item.Title += ", all tools too";
        assert.equal((await report("OpsItem Create")).status, "SUCCEEDED");
        executions.get("oi-1")!.running = false;
        assert.equal((await report("OpsItem Create")).status, "SUCCEEDED");
        assert.equal(executions.size, 1);
        assert.doesNotMatch(executions.get("oi-1")!.input, /all tools/);
    });

    it("of P2 is one too, also where people have opened it", async () => {
        const { executions, report, record } = aws(
            opened({
                Title: "mcp-production: users cannot log in",
                Severity: "2",
                OperationalData: {},
            }),
        );
        await report("OpsItem Create");
        assert.equal(executions.size, 1);
        assert.equal(record("about"), "mcp-production: users cannot log in");
        assert.equal(record("response"), "P2 Major degradation: respond within 30 minutes");
    });

    for (const [what, change] of Object.entries<Partial<OpsItem>>({
        "of P3": { Severity: "3" },
        "of P4": { Severity: "4" },
        "without a severity": { Severity: undefined },
        "of another platform": {
            Title: "CloudWatch alarm - 'mcp-staging-database-down' is in ALARM state",
            OperationalData: {},
        },
        "that somebody has begun with already": { Status: "InProgress" },
    })) {
        it(`${what} does not escalate`, async () => {
            const { executions, report, record } = aws(opened(change));
            const done = await report("OpsItem Create");
            assert.deepEqual([done.status, done.calls.length, executions.size], ["SUCCEEDED", 1, 0]);
            assert.equal(record("response"), undefined);
        });
    }

    it("that is resolved gets its post-mortem, once", async () => {
        const { executions, report, record } = aws(opened({ Status: "Resolved" }));
        const first = await report("OpsItem Update");
        assert.equal(first.calls.filter(({ resource }) => resource === WRITE).length, 1);
        assert.equal(
            record("post-mortem"),
            "Due. Fill in a copy of docs/post-mortem.md of the platform's repository for oi-1 (CloudWatch alarm - 'mcp-production-database-down' is in ALARM state), opened 2026-02-01T00:00:00Z, resolved 2026-02-01T02:00:00Z. The escalation-… records show who was notified and who acknowledged.",
        );
        // Writing it is a separate update, which is reported again.
        const second = await report("OpsItem Update");
        assert.deepEqual([second.status, second.calls.length, executions.size], ["SUCCEEDED", 1, 0]);
    });

    it("of P3 that is resolved needs none", async () => {
        const { report, record } = aws(opened({ Status: "Resolved", Severity: "3" }));
        await report("OpsItem Update");
        assert.equal(record("post-mortem"), undefined);
    });

    it("is escalated although nothing can be written on it, and fails aloud where that cannot be started", async () => {
        const { executions, fakes, report } = aws(opened());
        fakes[WRITE] = () => {
            throw new TaskError("Ssm.OpsItemLimitExceededException", "why");
        };
        await report("OpsItem Create");
        assert.equal(executions.size, 1);
        fakes[DESCRIBE] = () => {
            throw new TaskError("CloudWatch.CloudWatchException", "why");
        };
        await report("OpsItem Create");
        assert.equal(executions.size, 1);
        fakes[START] = () => {
            throw new TaskError("Sfn.SfnException", "why");
        };
        const failed = await report("OpsItem Create");
        assert.deepEqual([failed.status, failed.error], ["FAILED", "Sfn.SfnException"]);
    });
});
