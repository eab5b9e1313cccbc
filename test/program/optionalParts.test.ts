import assert from "node:assert/strict";
import { bundleProgram } from "../../offline/program";
import { record } from "../../offline/record";
import { readStackFile } from "../../offline/stackFile";
import { recordStack, root } from "../support";

/** Concerns that a stack may do without, and the values that go with each. */
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
    database: ["mcp:workloads.mcp-server.secrets.DATABASE_URL-"],
    cache: ["mcp:workloads.mcp-server.secrets.REDIS_URL-"],
    backups: [],
    archive: [],
    maintenance: [],
    observability: ["mcp:objectives-"],
    ingress: [],
    health: ["mcp:objectives-"],
};
const concerns = Object.keys(OPTIONAL);

/**
 * Groups of concerns such that of any two there is a group with both, one with neither, and one with each alone: the
 * first has all, and each concern is in two of the others, no two concerns in the same ones.
 */
const pairs = [0, 1, 2, 3, 4].flatMap((one) => [0, 1, 2, 3, 4].slice(one + 1).map((other) => [one, other]));
const groups = [
    concerns,
    ...[0, 1, 2, 3, 4].map((group) => concerns.filter((_, index) => pairs[index]!.includes(group))),
];

describe("a stack without what is optional", () => {
    for (const stack of ["production", "staging"]) {
        for (const group of [...concerns.map((concern) => [concern]), ...groups]) {
            it(`is declared all the same: ${stack} without ${group.join(", ")}`, async () => {
                const edits = [
                    ...new Set(group.flatMap((concern) => [`mcp:${concern}-`, ...OPTIONAL[concern]!])),
                ];
                const { resources } = await recordStack(stack, ...edits);
                assert.ok(resources.some(({ type }) => type === "kubernetes:apps/v1:Deployment"));
            });
        }
    }

    it("has no output without a value, of which an update would warn", async () => {
        const edits = concerns.flatMap((concern) => [`mcp:${concern}-`, ...OPTIONAL[concern]!]);
        const program = bundleProgram(root);
        let outputs: unknown;
        const run = () => (outputs = program.run());
        await record({ ...program, run }, readStackFile(root, "staging", [...new Set(edits)]));
        const values = Object.entries(outputs as object);
        assert.ok(values.some(([name]) => name === "namespace"));
        assert.deepEqual(
            values.filter(([, value]) => value === undefined),
            [],
        );
    });
});
