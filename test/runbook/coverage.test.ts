import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue } from "../../runbook/catalogue";
import { coverage, renderCoverage, verdictOf } from "../../runbook/coverage";
import * as numbers from "../../core/numbers";
import { root } from "../support";

/** How many commands, table rows and boxes each section of the runbook has, counted in the runbook itself. */
const COUNTED: Readonly<Record<string, number>> = {
    "2.1": 6,
    "2.2": 5,
    "3.1": 7,
    "3.2": 5,
    "3.3": 6,
    "3.4": 3,
    "4.1": 4,
    "4.2": 4,
    "4.3.1": 5,
    "4.3.2": 4,
    "4.3.3": 5,
    "4.3.4": 4,
    "5.1": 4,
    "5.2": 4,
    "5.3": 3,
    "5.4": 4,
    "6.1": 6,
    "6.2": 4,
    "6.3": 4,
    "7.1": 6,
    "7.2": 6,
    "8.1": 4,
    "8.2": 3,
};

describe("the coverage of the runbook", () => {
    it("lists everything that is in it", () => {
        const listed: Record<string, number> = {};
        for (const { section } of coverage) listed[section] = (listed[section] ?? 0) + 1;
        assert.deepEqual(listed, COUNTED);
        assert.equal(new Set(coverage.map(({ section, item }) => section + item)).size, coverage.length);
    });

    it("names procedures that are there, and that say so themselves", () => {
        const wrong = coverage.flatMap(({ section, item, procedures }) => {
            const silent = procedures.filter((id) => {
                const { sections = [] } = catalogue.find((procedure) => procedure.id === id) ?? {};
                return !sections.some((own) => own === section || own.startsWith(`${section} step`));
            });
            return procedures.length === 0 || silent.length > 0
                ? [`${section} ${item}: ${silent.join()}`]
                : [];
        });
        assert.deepEqual(wrong, []);
    });

    it("names for each line a test that there is", () => {
        const missing = coverage.flatMap(({ section, item, shownBy: { file, words } }) => {
            const path = join(root, "test", `${file}.test.ts`);
            const found = existsSync(path) && words.length > 8 && readFileSync(path, "utf8").includes(words);
            return found ? [] : [`${section} ${item}: ${file}: ${words}`];
        });
        assert.deepEqual(missing, []);
    });

    it("says of what people do that it is theirs, and of what a decision changes that it is otherwise", () => {
        const verdicts = new Map(coverage.map((each) => [each.item, verdictOf(each)]));
        assert.equal(verdicts.get("AWS Support"), "by people");
        assert.equal(verdicts.get("Reindex"), "otherwise");
        assert.equal(verdicts.get("Ping Redis"), "as written");
    });

    it("leaves out no procedure", () => {
        const named = new Set(coverage.flatMap(({ procedures }) => procedures));
        assert.deepEqual(
            catalogue.map(({ id }) => id).filter((id) => !named.has(id)),
            [],
        );
    });

    it("names decisions that are written down", () => {
        const missing = coverage.flatMap(({ decision }) =>
            decision === undefined || existsSync(join(root, "docs", "decisions", `${decision}.md`))
                ? []
                : [decision],
        );
        assert.deepEqual(missing, []);
    });

    it("traces every number to what gives it", () => {
        const named = new Set<string>(coverage.flatMap(({ numbers: own = [] }) => own));
        assert.deepEqual(
            Object.keys(numbers).filter((name) => !named.has(name)),
            [],
        );
    });

    it("is in docs/coverage.md as it is in the table (npm run docs rewrites it)", () => {
        assert.equal(readFileSync(join(root, "docs", "coverage.md"), "utf8"), renderCoverage());
    });
});
