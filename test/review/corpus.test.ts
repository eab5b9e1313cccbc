import assert from "node:assert/strict";
import { judgeRecording } from "../../offline/evaluate";
import { openValues, type Pack, type Snapshot } from "../../offline/snapshot";
import { readStackFile } from "../../offline/stackFile";
import { type Rule, type Violation } from "../../policies/rule";
import { rules } from "../../policies/rules";
import { renderText } from "../../cli/review/report";
import { isRefused, type Review, reviewProject } from "../../cli/review/review";
import { NOW } from "../policies/exception";
import { recordStack, root } from "../support";
import { DANGEROUS, HARMLESS, type ProjectChange } from "./changes";

/* What the review says to changes of all kinds, in this process: the program runs once for each edit of the stack file,
 * and what another component would declare is changed in what the program has declared. */

const packs = new Map<string, readonly Violation[]>();

/** What the rules of the project find in production with edits; the same is judged once. */
async function judged(edits: readonly string[]): Promise<readonly Violation[]> {
    const key = edits.join(" ");
    const found = packs.get(key) ?? judgeRecording(await recordStack("production", ...edits), rules, NOW);
    packs.set(key, found);
    return found;
}

async function reviewed({
    before = [],
    edits = [],
    declares,
    rules: changed,
    exceptions = [],
    files = [],
}: ProjectChange): Promise<Review> {
    const own: readonly Rule[] = changed?.(rules) ?? rules;
    const pack = (some: readonly Rule[], entries = exceptions): Pack => ({
        rules: some,
        exceptions: entries,
    });
    const all = [...before, ...edits];
    const [old, now] = [await recordStack("production", ...before), await recordStack("production", ...all)];
    const recording = declares === undefined ? now : { ...now, resources: declares(now.resources) };
    const byBase = declares === undefined ? await judged(all) : judgeRecording(recording, rules, NOW);
    const isOwn = changed !== undefined || exceptions.length > 0;
    const findings = isOwn
        ? judgeRecording(recording, own, NOW, { entries: exceptions, problems: [] })
        : byBase;
    const valuesWith = (some: readonly string[]) => openValues(readStackFile(root, "production", some));
    const base: Snapshot = {
        production: { recording: old, findings: await judged(before), values: valuesWith(before) },
    };
    const head: Snapshot = { production: { recording, findings, values: valuesWith(all) } };
    return reviewProject({
        base: {
            words: "main",
            snapshot: { stacks: base, pack: pack(rules, []), judged: { production: byBase } },
        },
        head: { stacks: head, pack: pack(own) },
        files: files.map((path) => ({
            path: path.replace(/^\+/, ""),
            isNew: path.startsWith("+"),
            lines: [],
        })),
    });
}

describe("what a review says to a change", () => {
    it("is tried with many of both kinds", () => {
        assert.ok(Object.keys(DANGEROUS).length >= 60, String(Object.keys(DANGEROUS).length));
        assert.ok(Object.keys(HARMLESS).length >= 30, String(Object.keys(HARMLESS).length));
    });

    for (const [what, change] of Object.entries(DANGEROUS)) {
        it(`is not that there is nothing against it: ${what}`, async () => {
            const review = await reviewed(change);
            const text = renderText(review);
            assert.match(text, /^(Refused|Look closely): /);
            assert.equal(isRefused(review), text.startsWith("Refused"));
            if (change.says !== undefined) {
                const [first] = text.split("\nStack ");
                assert.match(first!, change.says);
            }
        });
    }

    for (const [what, change] of Object.entries(HARMLESS)) {
        it(`is that there is nothing against it: ${what}`, async () => {
            const [first] = renderText(await reviewed(change)).split("\nStack ");
            assert.match(first!, /^Nothing against it: no new findings, /);
        });
    }
});
