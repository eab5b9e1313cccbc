import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { renderCosts, withCosts } from "../../offline/costs";
import { recordStack, root } from "../support";

/** The cells of a row. */
const row = (table: string, what: string) =>
    table
        .split("\n")
        .map((line) => line.split("|").map((cell) => cell.trim()))
        .find((cells) => cells[1] === what)!
        .slice(2, -1);

describe("what the stacks cost", () => {
    it("is in docs/first-deployment.md as they are declared (npm run docs writes it anew)", async () => {
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

    it("is not guessed where there is no price", async () => {
        const staging = await recordStack("staging", "mcp:cache.nodeType=cache.r7g.16xlarge");
        assert.throws(() => renderCosts({ staging }), /there is no price of cache\.r7g\.16xlarge/);
    });
});
