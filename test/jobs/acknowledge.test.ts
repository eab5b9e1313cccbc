import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { escalationMachine } from "../../components/incident/escalationMachine";
import { catalogue } from "../../runbook/catalogue";
import { listen } from "../jobs/servers";
import { execute, type Fake } from "../stateMachine/interpreter";

/* The command that acknowledges, as it is in a message and in the runbook, in the hands of AWS's own command line. */

const missing =
    spawnSync("aws", ["--version"]).status === 0
        ? undefined
        : "there is no AWS command line; pip install awscli has it";
const suite = missing === undefined ? describe : describe.skip;

const REGION = "ap-south-1";
const PUBLISH = "arn:aws:states:::sns:publish";
const LOOK = "arn:aws:states:::aws-sdk:ssm:getOpsItem";
const WRITE = "arn:aws:states:::aws-sdk:ssm:updateOpsItem";

const MACHINE = escalationMachine({
    platform: "mcp-production",
    region: REGION,
    levels: [
        { level: "L1", role: "On-call Engineer", topicArn: "L1", seconds: 900, chat: false },
        { level: "L2", role: "Platform Lead", topicArn: "L2", seconds: 1800, chat: false },
        { level: "L3", role: "Architect", topicArn: "L3", seconds: 3600, chat: false },
    ],
});

/** An OpsItem as Systems Manager keeps it. */
interface OpsItem {
    OpsItemId: string;
    Title: string;
    Status: string;
    LastModifiedBy: string;
    OperationalData: Record<string, { Type: string; Value: string }>;
}

/** Changes an OpsItem as UpdateOpsItem does: what is not named stays as it is. */
function update(item: OpsItem, by: string, { Status, OperationalData }: Partial<OpsItem>): void {
    item.Status = Status ?? item.Status;
    item.LastModifiedBy = by;
    Object.assign(item.OperationalData, OperationalData);
}

suite(`acknowledging an incident${missing ? ` (skipped: ${missing})` : ""}`, () => {
    let item: OpsItem;
    let close: () => void;
    let endpoint: string;
    /** What Systems Manager was asked for, with the region that the request was signed for. */
    let asked: [action: string, region: string | undefined, body: object][];

    before(async () => {
        const server = createServer((request, response) => {
            void text(request).then((body) => {
                const action = String(request.headers["x-amz-target"]).split(".")[1]!;
                const region = /Credential=[^/]*\/\d+\/([^/]+)\/ssm\//.exec(
                    request.headers.authorization ?? "",
                );
                const input = JSON.parse(body);
                asked.push([action, region?.[1], input]);
                const known = input.OpsItemId === item.OpsItemId;
                if (known && action === "UpdateOpsItem") {
                    update(item, "arn:aws:iam::000000000000:user/oncall", input);
                }
                response.writeHead(known ? 200 : 400, { "content-type": "application/x-amz-json-1.1" });
                response.end(
                    JSON.stringify(
                        known
                            ? action === "GetOpsItem"
                                ? { OpsItem: item }
                                : {}
                            : { __type: "OpsItemNotFoundException", Message: "there is no such OpsItem" },
                    ),
                );
            });
        });
        const { port, ...listening } = await listen(server);
        ({ close } = listening);
        endpoint = `http://127.0.0.1:${port}`;
    });
    after(() => close());
    beforeEach(() => {
        asked = [];
        item = {
            OpsItemId: "oi-0123456789ab",
            Title: "mcp-production-database-down",
            Status: "Open",
            LastModifiedBy: "arn:aws:sts::000000000000:assumed-role/escalation",
            OperationalData: {},
        };
    });

    /** Runs a line in a shell, as somebody does who was called. */
    const shell = async (line: string) => {
        const { PATH = "", HOME = "" } = process.env;
        const { stdout } = await promisify(execFile)("bash", ["-c", line], {
            env: {
                PATH,
                HOME,
                AWS_ENDPOINT_URL_SSM: endpoint,
                AWS_ACCESS_KEY_ID: "planted",
                AWS_SECRET_ACCESS_KEY: "planted",
                AWS_EC2_METADATA_DISABLED: "true",
                AWS_PAGER: "",
            },
        });
        return stdout;
    };

    /** Escalates the item; `answer` is what those do who are called, with the message that calls them. */
    const escalate = async (answer: (level: string, message: string) => Promise<unknown>) => {
        const fakes: Record<string, Fake> = {
            [PUBLISH]: async ({ TopicArn, Message }) => {
                await answer(TopicArn, Message);
                return { MessageId: "1" };
            },
            [LOOK]: () => ({ OpsItem: item }),
            [WRITE]: (input) => update(item, "the machine", input),
        };
        const done = await execute(MACHINE, {
            fakes,
            input: { opsItem: item.OpsItemId, severity: "1", title: item.Title },
            time: "2026-02-01T00:00:00Z",
        });
        const called = done.calls
            .filter(({ resource }) => resource === PUBLISH)
            .map(({ arguments: { TopicArn } }) => TopicArn);
        return { status: done.status, called };
    };
    const lineOf = (message: string, action: string) =>
        message.split("\n").find((line) => line.startsWith(`aws ssm ${action} `))!;

    it("by the command of the message ends the escalation at the level that ran it", async () => {
        const done = await escalate(async (level, message) => {
            if (level === "L2") {
                await shell(lineOf(message, "update-ops-item"));
            }
        });
        assert.deepEqual(done, { status: "SUCCEEDED", called: ["L1", "L2"] });
        assert.deepEqual(asked, [
            ["UpdateOpsItem", REGION, { OpsItemId: "oi-0123456789ab", Status: "InProgress" }],
        ]);
        assert.equal(item.Status, "InProgress");
        assert.match(item.OperationalData["escalation-end"]!.Value, / InProgress by .* after L2 /);
    });

    it("shows, by the message's other command, the details and the notified levels", async () => {
        let shown = "";
        await escalate(async (level, message) => {
            if (level === "L2") {
                shown = await shell(lineOf(message, "get-ops-item"));
                await shell(lineOf(message, "update-ops-item"));
            }
        });
        const { OpsItem: seen } = JSON.parse(shown);
        assert.deepEqual([seen.Title, seen.Status], [item.Title, "Open"]);
        assert.match(seen.OperationalData["escalation-L1"].Value, /On-call Engineer notified/);
    });

    it("by the command of the runbook does the same", async () => {
        const { verify } = catalogue.find(({ id }) => id === "incident")!;
        const [, line = ""] = /`(aws ssm update-ops-item [^`]*)`/.exec(verify) ?? [];
        const own = `AWS_DEFAULT_REGION=${REGION} ${line.replace("OPS_ITEM", item.OpsItemId)}`;
        const done = await escalate(() => shell(own));
        assert.deepEqual(done, { status: "SUCCEEDED", called: ["L1"] });
        assert.equal(item.Status, "InProgress");
    });

    it("of another incident fails aloud, and people go on being called", async () => {
        const done = await escalate(async (_, message) => {
            const line = lineOf(message, "update-ops-item").replace(item.OpsItemId, "oi-0000000000ff");
            await assert.rejects(shell(line), /OpsItemNotFoundException/);
        });
        assert.deepEqual(done, { status: "FAILED", called: ["L1", "L2", "L3"] });
    });
});
