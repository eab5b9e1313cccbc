import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { documentedAlarms } from "../../cli/documentedAlarms";
import { catalogue } from "../../runbook/catalogue";
import { exampleEdits } from "../../runbook/parameters";
import { renderQuickCard } from "../../runbook/quickCard";
import { renderRunbook } from "../../runbook/render";
import { waitsOf } from "../../runbook/waits";
import { LEVELS, SEVERITIES } from "../../core/numbers";
import { SYMPTOMS } from "../../core/symptoms";
import { changesBetween, linesOf, root, withoutHashes } from "../support";

describe("the runbook's procedures", () => {
    for (const procedure of catalogue.filter(({ edits }) => edits.length > 0)) {
        const { id, from = [], changes } = procedure;
        it(`${id} changes exactly what it promises`, async () => {
            const found = await changesBetween("production", from, [...from, ...exampleEdits(procedure)]);
            assert.deepEqual(
                withoutHashes(linesOf(found)),
                changes.map(({ operation, type, name }) => `${operation} ${type} ${name}`).sort(),
            );
        });
    }

    for (const procedure of catalogue.filter(({ edits }) => edits.length > 0)) {
        const { id, from = [], changes } = procedure;
        it(`${id} says how long its update waits for what`, async () => {
            const found = await changesBetween("production", from, [...from, ...exampleEdits(procedure)]);
            const limits = found.flatMap(({ operation, resource: { type, name, options } }) => {
                const { create, update } = options.customTimeouts ?? {};
                const limit = operation === "create" ? create : operation === "update" ? update : undefined;
                return limit === undefined ? [] : [`${secondsOf(limit)} s ${type} ${name}`];
            });
            const told = changes.flatMap((change) => {
                const [wait] = waitsOf({ ...procedure, changes: [change] });
                const isMade = change.operation === "create" || change.operation === "update";
                return wait === undefined || !isMade
                    ? []
                    : [`${wait.seconds} s ${change.type} ${change.name}`];
            });
            assert.deepEqual(told.sort(), withoutHashes(limits).sort());
        });
    }

    it("change nothing where they only look", () => {
        const looking = catalogue.flatMap(({ id, looks = [] }) => looks.map((look) => `${id}: ${look}`));
        assert.ok(looking.length > 0);
        const changing =
            /\b(apply|delete|drain|edit|patch|replace|restart|scale|set)\b|aws \S+ (?!describe-|filter-|get-|list-)|-X |--request/;
        assert.deepEqual(
            looking.filter((look) => changing.test(look)),
            [],
        );
    });

    it("lead on from every symptom of section 6.1", () => {
        const ids = catalogue.map(({ id }) => id);
        assert.equal(SYMPTOMS.length, 6);
        for (const { procedure, cause, resolution } of SYMPTOMS) {
            assert.ok(ids.includes(procedure), procedure);
            const { when } = catalogue.find(({ id }) => id === procedure)!;
            // Each row is where it leads to, in the runbook's own words.
            assert.ok(when.toLowerCase().includes(`${cause}; ${resolution}`.toLowerCase()), when);
        }
    });

    it("lead on from every alarm, by a table", () => {
        const alarms = documentedAlarms(root);
        const page = readFileSync(join(root, "docs", "runbook.md"), "utf8");
        const rows = [...page.matchAll(/^\| \[(\S+)\]\(alarms\.md#\1\) \| (P\d) \|.*\[(\S+)\]\(#\3\) \|$/gm)];
        assert.deepEqual(
            rows.map(([, id, severity, procedure]) => `${id} ${severity} ${procedure}`).sort(),
            alarms.map(({ id, severity, procedure }) => `${id} ${severity} ${procedure}`).sort(),
        );
        assert.deepEqual(
            rows.map(([, , severity]) => severity),
            rows.map(([, , severity]) => severity!).sort(),
        );
        const anchors = new Set([...page.matchAll(/^<a id="(\S+)"><\/a>$/gm)].map(([, id]) => id));
        assert.deepEqual(
            rows.filter(([, , , procedure]) => !anchors.has(procedure)),
            [],
        );
    });

    it("have unique ids", () => {
        assert.equal(new Set(catalogue.map(({ id }) => id)).size, catalogue.length);
    });

    it("have lines that a page can show, but for tables", () => {
        for (const file of ["runbook.md", "alarms.md"]) {
            const page = readFileSync(join(root, "docs", file), "utf8");
            assert.deepEqual(
                page.split("\n").filter((line) => line.length > 120 && !line.startsWith("| ")),
                [],
            );
        }
    });

    it("are in docs/runbook.md as they are in the catalogue (npm run docs rewrites it)", () => {
        const page = renderRunbook(documentedAlarms(root));
        assert.equal(readFileSync(join(root, "docs", "runbook.md"), "utf8"), page);
    });
});

describe("the quick card", () => {
    const page = readFileSync(join(root, "docs", "quick-card.md"), "utf8");

    it("is one page, as it is made from the runbook (npm run docs writes it)", () => {
        assert.equal(page, renderQuickCard());
        assert.ok(page.split("\n").length <= 55);
    });

    it("says what to do when a release has failed in the soak", () => {
        assert.match(
            page,
            /The release failed in the soak\]\(\S+\) \| Nothing to do: `run` takes it back\. With `pulumi up`: `npm run runbook -- run rollback --workload mcp-server` \|$/m,
        );
    });

    it("has each symptom, level and severity", () => {
        for (const words of [...SYMPTOMS.map(({ symptom }) => symptom), ...LEVELS, ...SEVERITIES]) {
            assert.ok(page.includes(`| ${words} |`), words);
        }
    });
});

/** A timeout of the engine, such as `270s`, `60m` or `6h`, in seconds. */
function secondsOf(timeout: string): number {
    const [, number, unit] = /^(\d+)([smh])$/.exec(timeout)!;
    return Number(number) * { s: 1, m: 60, h: 3600 }[unit as "s" | "m" | "h"];
}
