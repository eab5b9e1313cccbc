import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { costChanges, describeDifference, renderCosts, withCosts } from "../../offline/costs";
import { type Recording } from "../../offline/record";
import { recordStack, root } from "../support";

/** The cells of a row. */
const row = (table: string, what: string) =>
    table
        .split("\n")
        .map((line) => line.split("|").map((cell) => cell.trim()))
        .find((cells) => cells[1] === what)!
        .slice(2, -1);

describe("what the stacks cost", () => {
    it("is in docs/first-deployment.md as they are declared (npm run docs rewrites it)", async () => {
        const text = readFileSync(join(root, "docs", "first-deployment.md"), "utf8");
        const production = await recordStack("production");
        const table = renderCosts({ production, staging: await recordStack("staging") });
        assert.equal(text, withCosts(text, table));
        assert.ok(text.includes(table));
    });

    it("follows the values: a second zone is a second instance, a replica is a second node", async () => {
        const one = await recordStack("staging");
        const two = await recordStack("staging", "mcp:database.multiAz=true", "mcp:cache.replicas=1");
        const table = renderCosts({ one, two });
        assert.deepEqual(row(table, "PostgreSQL"), [
            "db.t4g.medium: $47 to 64",
            "db.t4g.medium, two zones: $95 to 128",
        ]);
        assert.deepEqual(row(table, "Redis"), [
            "1 × cache.t4g.small: $23 to 32",
            "2 × cache.t4g.small: $47 to 63",
        ]);
    });

    it("follows the size within a family, and is unknown where the family has no price", async () => {
        const [staging, large] = await Promise.all([
            recordStack("staging"),
            recordStack("staging", "mcp:cache.nodeType=cache.r7g.16xlarge"),
        ]);
        const unknown = withNodeType(staging, "cache.x9g.large");
        assert.deepEqual(row(renderCosts({ large, unknown }), "Redis"), [
            "1 × cache.r7g.16xlarge: $5116 to 6906",
            "1 × cache.x9g.large: unknown",
        ]);
        const [change, ...others] = costChanges(staging, large);
        assert.deepEqual(others, []);
        assert.deepEqual(
            [change!.what, change!.quantity, describeDifference(change!.to - change!.from)],
            ["Redis", "1 × cache.t4g.small => 1 × cache.r7g.16xlarge", "$5092 to 6875 more a month"],
        );
        assert.equal(describeDifference(-100), "$100 to 135 less a month");
        const [guess] = costChanges(staging, unknown);
        assert.equal(describeDifference(guess!.to - guess!.from), "an unknown sum");
        assert.deepEqual(costChanges(unknown, unknown), []);
    });
});

describe("what a change costs", () => {
    const costsOf = async (...edits: string[]) => {
        const changes = costChanges(
            await recordStack("production"),
            await recordStack("production", ...edits),
        );
        return Object.fromEntries(
            changes.map(({ what, from, to }) => [what, Math.round((to - from) * 10) / 10]),
        );
    };

    // By hand from the list prices of us-east-1: 730 hours, each zone with an instance and a disk.
    for (const [what, edits, expected] of [
        [
            "a class eight times as large",
            ["mcp:database.instanceClass=db.r6g.4xlarge"],
            { PostgreSQL: 2299.5 },
        ],
        ["a disk five times as large", ["mcp:database.storage.initial=500"], { "its disk": 92 }],
        [
            "two replicas more, with three alarms each",
            ["mcp:cache.replicas=3"],
            { Redis: 319.7, "metrics of alarms": 0.6 },
        ],
        [
            "a restored instance, whose disk is that of its source",
            ["mcp:recovery.restoreTime=2026-01-31T10:30:00+05:30"],
            { PostgreSQL: 328.5, "its disk": 23, "its administrator's secret": 0.4 },
        ],
        ["a restored cache", ["mcp:cacheRecovery.snapshot=mcp-1.rdb"], { Redis: 319.7 }],
        [
            "no objectives, whose four composites look at twenty metrics",
            ["mcp:objectives-"],
            { "metrics of alarms": -2, "composite alarms": -2 },
        ],
    ] as const) {
        it(`is what AWS asks for it: ${what}`, async () => {
            assert.deepEqual(await costsOf(...edits), expected);
        });
    }
});

/** A recording with another type of node. */
function withNodeType(recording: Recording, nodeType: string): Recording {
    const resources = recording.resources.map((resource) =>
        resource.type === "aws:elasticache/replicationGroup:ReplicationGroup"
            ? { ...resource, inputs: { ...resource.inputs, nodeType } }
            : resource,
    );
    return { ...recording, resources };
}
