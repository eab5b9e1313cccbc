import assert from "node:assert/strict";
import { parseStack } from "../../config";
import { missingInputs } from "../../config/requiredInputs";
import { resolveStack } from "../../config/resolve";
import { isProduction } from "../../config/tier";
import { type Values, valuesOf, withValue } from "./stackValues";

describe("the tier of a stack", () => {
    const cases: [environment: string, tier: string | undefined, production: boolean][] = [
        ["production", undefined, true],
        ["production", "production", true],
        ["staging", undefined, false],
        ["staging", "production", true],
        ["qa", "trial", false],
        ["emea", "production", true],
        // Neither is valid; until that is said, nothing is judged less strictly.
        ["qa", undefined, true],
        ["qa", "lax", true],
        ["constructor", undefined, true],
    ];
    for (const [environment, tier, production] of cases) {
        it(`of ${environment}, ${tier ?? "none named"}, is ${production ? "production" : "trial"}`, () =>
            assert.equal(isProduction({ environment, tier }), production));
    }

    const staging = (tier?: string): Values => {
        const values = withValue("environment", "emea", "staging");
        return tier === undefined ? values : { ...values, tier };
    };

    it("decides what an operator must give", () => {
        const pathsOf = (raw: Values) => missingInputs(raw, "emea").map(({ path }) => path.join("."));
        assert.deepEqual(pathsOf(staging("trial")), []);
        assert.ok(pathsOf(staging("production")).includes("checklist.validatedBy"));
    });

    it("decides what is refused", () => {
        const { values, problems } = parseStack(staging("trial"));
        assert.deepEqual(problems, []);
        assert.equal(resolveStack(values!).production, false);
        const strict = parseStack(staging("production")).problems.map(({ path }) => path);
        assert.deepEqual(strict, [
            "mcp:cache.replicas",
            "mcp:archive.mode",
            "mcp:archive.retention",
            "mcp:health.paths.mcp-server",
        ]);
    });

    it("of the two stack files stays what it was", () => {
        for (const [stack, production] of [
            ["production", true],
            ["staging", false],
        ] as const) {
            assert.equal(resolveStack(parseStack(valuesOf(stack)).values!).production, production);
        }
    });
});
