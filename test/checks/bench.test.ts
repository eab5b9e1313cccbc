import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support";

interface Run {
    machine: string;
    node: string;
    figures: { name: string; goal: number; median: number; least: number; most: number }[];
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- the benchmark is plain JavaScript, for the least start
const { compared } = require("../bench/compare.cjs") as { compared: (now: Run, before: Run) => string };

const runOf = (median: number, least: number, most: number, name = "time"): Run => ({
    machine: "2 × processor",
    node: "v20",
    figures: [{ name, goal: 2, median, least, most }],
});

describe("npm run bench", () => {
    it("calls a figure more or less only beyond the spreads of both runs", () => {
        const before = runOf(1.5, 1.4, 1.6);
        const verdicts: [Run, RegExp][] = [
            [runOf(1.58, 1.55, 1.7), /the same +goal 2\n/],
            [runOf(1.8, 1.7, 1.9), /more +goal 2\n/],
            [runOf(1.3, 1.2, 1.35), /less +goal 2\n/],
            [runOf(2.1, 2, 2.2), /more +goal 2, MISSED\n/],
            [runOf(1.5, 1.4, 1.6, "memory"), /new +goal 2\n/],
        ];
        for (const [now, verdict] of verdicts) {
            assert.match(compared(now, before), verdict);
        }
    });

    it("has a committed run, with its machine and spread", () => {
        const file = join(root, "test", "bench", "result.json");
        const { machine, node, figures } = JSON.parse(readFileSync(file, "utf8")) as Run;
        assert.match(machine, /^\d+ × .+ GiB$/);
        assert.match(node, /^v\d+/);
        assert.deepEqual(
            figures.filter(({ median, least, most }) => least > median || most < median),
            [],
        );
    });
});
