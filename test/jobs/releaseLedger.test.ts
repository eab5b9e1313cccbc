import * as assert from "node:assert/strict";
import {
    append,
    approvalOf,
    type HistoryEntry,
    nextRevision,
    parseEntries,
    parseHistory,
} from "../../jobs/lib/releaseHistory";
import { Increases, parseSamples, quantile } from "../../jobs/lib/metrics";

const entry = (n: number, more: Partial<HistoryEntry> = {}): HistoryEntry => ({
    hash: `hash-${n}`,
    version: `v${n}`,
    image: `image:${n}`,
    colour: n % 2 === 0 ? "blue" : "green",
    ...more,
});
const completed = (n: number, more: Partial<HistoryEntry> = {}) =>
    entry(n, { revision: n, completedAt: "2026-01-01T00:00:00.000Z", ...more });
const numbers = (entries: HistoryEntry[]) => entries.map(({ hash }) => Number(hash.slice(5)));
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe("release ledger", () => {
    it("reads what it wrote", () => {
        const entries = [
            completed(1, { ticket: "CHG-1", smokeAt: "2026-01-01T00:00:00.000Z", note: "a" }),
            entry(2),
        ];
        const text = JSON.stringify(entries);
        assert.deepEqual(JSON.parse(JSON.stringify(parseEntries(text))), entries);
        const { corrupt, blank, abort } = parseHistory({ app: text, "app.abort": " v2\n" }, "app");
        assert.deepEqual({ corrupt, blank, abort }, { corrupt: undefined, blank: false, abort: "v2" });
    });

    it("is blank until a release is completed", () => {
        const blank = (data: Record<string, string>) => parseHistory(data, "app").blank;
        assert.ok(blank({}));
        assert.ok(blank({ app: "[]", other: "{" }));
        assert.ok(blank({ app: JSON.stringify([entry(1, { smokeAt: "then" })]) }));
        assert.ok(!blank({ app: JSON.stringify([completed(1)]) }));
        assert.ok(!blank({ app: "[]", "app.unreadable": "{" }));
    });

    for (const [text, message] of [
        ["", "the plan: found text that is not JSON, expected a list of releases"],
        ['{"hash":"a"}', "the plan: found an object, expected a list of releases"],
        [
            '[{"hash":"a"}]',
            "[0].version: found nothing, expected a text; [0].image: found nothing, expected a text",
        ],
        [
            JSON.stringify([entry(1, { revision: 0 })]),
            /^\[0\]\.revision: found 0, expected a whole number from 1/,
        ],
        [JSON.stringify([{ ...entry(1), colour: "red" }]), '[0].colour: found "red", expected blue or green'],
        [JSON.stringify([{ ...entry(1), extra: 1 }]), /^\[0\]\.extra: found an unknown key/],
    ] as const) {
        it(`takes ${JSON.stringify(text.slice(0, 20))} for garbled, and for no first install`, () => {
            assert.throws(() => parseEntries(text), { message });
            const memory = parseHistory({ app: text }, "app");
            assert.deepEqual(memory, { entries: [], corrupt: text, abort: undefined, blank: false });
        });
    }

    it("puts news of a release at the end, in the place of what it knew", () => {
        const entries = append([completed(1), completed(2)], completed(1, { note: "again" }));
        assert.deepEqual(numbers(entries), [2, 1]);
        assert.equal(entries[1]!.note, "again");
    });

    it("puts the first release that is tested in the place of its approval, and no other", () => {
        const approval = entry(1, { version: "v2", image: "image:2", evidence: { at: "then" } });
        const both = [approval, entry(3)];
        assert.deepEqual(numbers(append(both, entry(2, { smokeAt: "now" }))), [3, 2]);
        assert.deepEqual(numbers(append(both, completed(2))), [3, 2]);
        assert.deepEqual(numbers(append(both, entry(2))), [1, 3, 2]);
        assert.deepEqual(numbers(append(both, completed(2, { image: "image:3" }))), [1, 3, 2]);
        assert.deepEqual(numbers(append([completed(4, approval)], completed(2))), [1, 2]);
    });

    it("finds what the checklist found of an image, or its newest entry", () => {
        const of2 = { version: "v2", image: "image:2" };
        const found = entry(1, { ...of2, evidence: { at: "then" } });
        const all = [completed(5, of2), found, completed(6, of2), entry(7, { ...of2, image: "image:3" })];
        assert.equal(approvalOf(all, of2), found);
        assert.equal(approvalOf([all[0]!, all[2]!, all[3]!], of2), all[2]);
        assert.equal(approvalOf([all[3]!], of2), undefined);
    });

    it("keeps 20 entries: uncompleted ones go first, then the oldest", () => {
        const entries = [
            completed(1),
            entry(2),
            ...upTo(20)
                .slice(2)
                .map((n) => completed(n)),
            entry(30),
        ];
        assert.equal(entries.length, 21);
        // Two too many: with 31 there are 22.
        assert.deepEqual(numbers(append(entries, entry(31))), [1, ...upTo(20).slice(2), 31]);
        const full = upTo(20).map((n) => completed(n));
        assert.deepEqual(numbers(append(full, completed(21))), upTo(21).slice(1));
    });

    it("never drops the new one, nor the newest completed one of a colour", () => {
        const full = [
            completed(1),
            ...upTo(20)
                .slice(1)
                .map((n) => completed(n, { colour: "blue" })),
        ];
        const entries = append(full, entry(21, { colour: "blue" }));
        assert.deepEqual(numbers(entries), [1, ...upTo(21).slice(2)]);
    });

    it("counts revisions up from the highest", () => {
        assert.equal(nextRevision([]), 1);
        assert.equal(nextRevision([completed(7), entry(8), completed(3)]), 8);
    });
});

describe("release metrics", () => {
    it("reads Prometheus's text format", () => {
        const page =
            '# HELP a A.\n# TYPE a counter\na 1\na{}  2\na{x="1",y="a,b} \\"c\\"\\n\\\\",} 3e2 1700000000\n' +
            "b:c_total +Inf\nc NaN\nbroken{\n\n  d{x='1'} 4\n";
        assert.deepEqual(parseSamples(page), [
            { name: "a", labels: {}, value: 1 },
            { name: "a", labels: {}, value: 2 },
            { name: "a", labels: { x: "1", y: 'a,b} "c"\n\\' }, value: 300 },
            { name: "b:c_total", labels: {}, value: NaN },
            { name: "c", labels: {}, value: NaN },
            { name: "d", labels: {}, value: 4 },
        ]);
    });

    it("adds increases up over resets, new series, and sources that come and go", () => {
        const increases = new Increases();
        let total = 0;
        const take = (source: string, old: boolean, ...values: [status: string, value: number][]) => {
            const samples = values.map(([status, value]) => ({ name: "a", labels: { status }, value }));
            for (const { increase } of increases.take(source, old, samples)) total += increase;
        };
        take("first", true, ["200", 1000], ["500", 10]);
        assert.equal(total, 0);
        take("first", true, ["200", 1005], ["500", 10], ["502", 3]);
        assert.equal(total, 8);
        take("first", true, ["200", 4], ["500", 10], ["502", NaN]);
        assert.equal(total, 12);
        take("later", false, ["200", 100]);
        assert.equal(total, 112);
        take("late old one", true, ["200", 100]);
        assert.equal(total, 112);
        take("late old one", true, ["200", 101]);
        assert.equal(total, 113);
        assert.deepEqual([...increases.falls], [["first", 1]]);
    });

    it("interpolates a quantile as PromQL does", () => {
        const buckets = new Map([
            [0.1, 50],
            [Infinity, 100],
            [0.5, 90],
            [1, 98],
        ]);
        assert.equal(quantile(0.5, buckets), 0.1);
        assert.equal(quantile(0.7, buckets), 0.1 + 0.4 * 0.5);
        assert.equal(quantile(0.95, buckets), 0.5 + 0.5 * (5 / 8));
        assert.equal(quantile(0.99, buckets), 1);
        assert.equal(quantile(0.95, new Map()), undefined);
        assert.equal(quantile(0.95, new Map([[Infinity, 0]])), undefined);
    });
});
