import { plural } from "../../offline/summary";
import { type Change } from "../../offline/compare";
import { describeProperties } from "../../offline/describe";
import { lineOf, type Report, reportOf, type Section } from "./report";
import { type Review } from "./review";

/** Marks the comment of an earlier run, which is then updated. */
export const MARKER = "<!-- mcp-review -->";

/**
 * Maximum length of the comment: GitHub accepts 65,536 characters, of which the posting workflow needs some. JavaScript
 * counts at least as many characters as GitHub.
 */
const LONGEST_COMMENT = 61_440;

/** Maximum length of a quoted value before escaping, so that one value does not fill the comment. */
const LONGEST_QUOTE = 1000;

/** Maximum number of stacks with a separate section. Urgent items of all stacks are above. */
const MOST_STACKS = 10;

/** Colours of GitHub's diff lines. */
const DIFF_MARKS: Partial<Record<Change["operation"], string>> = { create: "+", delete: "-" };

/** A part of the comment: fixed lines around as many items as fit. */
interface Part {
    readonly open: readonly string[];
    readonly items: readonly string[];
    /** Text for omitted items. */
    readonly rest: (left: number) => string;
    readonly close: readonly string[];
    /** Lower ranks get room first. */
    readonly rank: number;
}

/**
 * The review as Markdown for a comment: first the verdict, then urgent items, then folded differences. If it is too
 * long, properties and then the last items of the least important parts are omitted and counted. Every fold and code
 * block is closed.
 */
export function renderMarkdown(review: Review): string {
    const report = reportOf(review);
    const full = fitted(partsOf(review, report, true));
    return full.isWhole ? full.text : fitted(partsOf(review, report, false)).text;
}

/** Allots room to the parts by rank, and joins them in their order. */
function fitted(parts: readonly Part[]): { text: string; isWhole: boolean } {
    const sizeOf = (lines: readonly string[]) => lines.reduce((sum, { length }) => sum + length + 1, 0);
    const frames = parts.map(({ open, items, rest, close }) =>
        sizeOf([...open, rest(items.length), ...close]),
    );
    let room = LONGEST_COMMENT - frames.reduce((sum, size) => sum + size, 0);
    const shown = new Map<Part, readonly string[]>();
    for (const part of [...parts].sort((one, other) => one.rank - other.rank)) {
        let fitting = 0;
        while (fitting < part.items.length && sizeOf([part.items[fitting]!]) <= room) {
            room -= sizeOf([part.items[fitting]!]);
            fitting += 1;
        }
        shown.set(part, part.items.slice(0, fitting));
    }
    const lines = parts.flatMap((part) => {
        const items = shown.get(part)!;
        const left = part.items.length - items.length;
        return [...part.open, ...items, ...(left > 0 ? [part.rest(left)] : []), ...part.close];
    });
    return {
        text: lines.join("\n"),
        isWhole: parts.every((part) => shown.get(part)!.length === part.items.length),
    };
}

function partsOf(review: Review, { verdict, urgent, stacks }: Report, withProperties: boolean): Part[] {
    const text = (...lines: string[]): Part => ({
        open: lines,
        items: [],
        rest: () => "",
        close: [],
        rank: 0,
    });
    const shortened =
        "This is too long for a comment: properties are left out, and what else is left out is counted where it " +
        "would stand. `review.json`, which the run keeps, has everything.";
    const more = stacks.length - MOST_STACKS;
    return [
        text(
            MARKER,
            `## ${inline(verdict)}`,
            "",
            `Compared with ${inline(review.base)}, offline: what is declared, and no plan of the cloud.`,
            "",
            ...(withProperties ? [] : [shortened, ""]),
        ),
        ...urgent.map((section, index) => listPart(section, index)),
        ...stacks.slice(0, MOST_STACKS).flatMap(({ title, sections, changes }) => [
            text(`### ${inline(title)}`, ""),
            // The first sections of all stacks have room before any second one.
            ...sections.map((section, index) => listPart(section, urgent.length + index)),
            ...(changes.length === 0 ? [] : [resourcesPart(changes, withProperties)]),
        ]),
        ...(more > 0 ? [text(`And ${plural(more, "more stack")}.`, "")] : []),
    ];
}

function listPart({ title, items, folded }: Section, rank: number): Part {
    const list = {
        // A long item keeps its first lines.
        items: items.flatMap((item) =>
            [item].flat().map((line, index) => `${index === 0 ? "" : "  "}- ${inline(line)}`),
        ),
        rest: (left: number) => `- … and ${left} more of ${list.items.length}, left out here`,
        rank,
    };
    return folded
        ? { ...list, open: foldOpen(`${title} ${items.length}`), close: FOLD_CLOSE }
        : { ...list, open: [`**${title}**`, ""], close: [""] };
}

function resourcesPart(changes: readonly Change[], withProperties: boolean): Part {
    return {
        open: [...foldOpen("Resources"), "```diff"],
        items: changes.map((change) =>
            [
                `${DIFF_MARKS[change.operation] ?? "!"} ${quoted(lineOf(change))}`,
                // Indented so far, no line can end the code block.
                ...(withProperties ? describeProperties(change) : []).map((line) => `      ${quoted(line)}`),
            ].join("\n"),
        ),
        rest: (left) => `  … and ${left} more of ${changes.length}, left out here`,
        close: ["```", ...FOLD_CLOSE],
        rank: Number.MAX_SAFE_INTEGER,
    };
}

const FOLD_CLOSE = ["", "</details>", ""];

function foldOpen(title: string): string[] {
    return [`<details><summary>${inline(title)}</summary>`, ""];
}

/** Escapes values and messages for Markdown and HTML. */
function inline(text: string): string {
    return quoted(text).replace(/[\\`*_{}[\]<>|@#~&]/g, (character) => {
        const entities: Record<string, string> = { "<": "&lt;", "&": "&amp;", "@": "@\u200b" };
        return entities[character] ?? `\\${character}`;
    });
}

/** One line of limited length, cut between characters. */
function quoted(text: string): string {
    const line = text.replace(/[\r\n]+/g, " ");
    const characters = [...line];
    return characters.length > LONGEST_QUOTE ? `${characters.slice(0, LONGEST_QUOTE).join("")}…` : line;
}
