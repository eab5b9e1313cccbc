import { type Change } from "../../offline/compare";
import { describeProperties, OPERATIONS } from "../../offline/render";
import { type Finding } from "../../policies/rule";
import { type Edit, isRefused, type Review, type StackReview } from "./review";

/** Finds the comment of an earlier run, which is then written anew. */
export const MARKER = "<!-- mcp-review -->";

/** Longest comment that GitHub takes, in characters. */
const LONGEST_COMMENT = 65_536;

/** The review as Markdown for a comment: the verdict first, what endangers data next, the differences folded. */
export function renderMarkdown(review: Review): string {
    const head = [
        MARKER,
        `## ${verdict(review)}`,
        "",
        `Compared with ${review.base}, offline: what is declared, and no plan of the cloud.`,
        "",
    ];
    const full = [...head, ...review.stacks.flatMap((stack) => stackSection(stack, review, true))].join("\n");
    if (full.length <= LONGEST_COMMENT) {
        return full;
    }
    const note = "The resources are too many for a comment: the job's output has them.";
    const short = [
        ...head,
        note,
        "",
        ...review.stacks.flatMap((stack) => stackSection(stack, review, false)),
    ];
    return short.join("\n").slice(0, LONGEST_COMMENT);
}

/** The same for a terminal. */
export function renderText(review: Review): string {
    const lines = [verdict(review), `Compared with ${review.base}.`];
    for (const stack of review.stacks) {
        lines.push("", `Stack ${stack.stack}: ${summaryOf(stack.changes)}`);
        for (const { title, items } of sectionsOf(stack, review)) {
            lines.push(`  ${title}`, ...items.map((item) => `    ${item.replaceAll("\n", "\n    ")}`));
        }
        lines.push(...stack.changes.map((change) => `  ${lineOf(change)}`));
    }
    return `${lines.join("\n")}\n`;
}

function verdict(review: Review): string {
    const { stacks } = review;
    const fresh = stacks.reduce((sum, { findings }) => sum + findings.fresh.length, 0);
    const endangered = stacks.reduce((sum, stack) => sum + stack.endangered.length, 0);
    const changed = stacks.reduce((sum, stack) => sum + stack.changes.length, 0);
    const word = isRefused(review) ? "Refused" : endangered > 0 ? "Look closely" : "Nothing against it";
    const parts = [
        ...stacks.flatMap(({ stack, problems }) =>
            problems.head === undefined ? [] : [`${stack} does not preview`],
        ),
        ...stacks.flatMap(({ stack, problems }) =>
            problems.base === undefined ? [] : [`${stack} has no base to compare with`],
        ),
        fresh > 0 ? `${count(fresh, "new finding")}` : "no new findings",
        ...(endangered > 0 ? [`${count(endangered, "stateful resource")} deleted or replaced`] : []),
        changed > 0 ? `${count(changed, "resource")} changed` : "no resource changed",
    ];
    return `${word}: ${parts.join(", ")}`;
}

function count(number: number, what: string): string {
    return `${number} ${what}${number === 1 ? "" : "s"}`;
}

interface Section {
    title: string;
    items: string[];
    /** Shown on demand only. */
    folded?: boolean;
}

/** Everything but the resources, what matters most first. */
function sectionsOf(stack: StackReview, { rules }: Review): Section[] {
    const enforcement = new Map(rules.map((rule) => [rule.name, rule.enforcement]));
    const remediation = new Map(rules.map((rule) => [rule.name, rule.remediation]));
    const finding = ({ rule, urn, message }: Finding) =>
        `${rule} [${enforcement.get(rule) ?? "no rule any more"}] ${urn.split("::").slice(2).join(" ")}: ${message}`;
    const advised = (each: Finding) => {
        const advice = remediation.get(each.rule);
        return advice === undefined ? finding(each) : `${finding(each)}\n${advice}`;
    };
    const accepted = (each: Finding) =>
        each.exception === undefined
            ? finding(each)
            : `${finding(each)}\n${each.exception.reason} (${each.exception.ticket}, ${each.exception.owner}, until ${each.exception.expires})`;
    const { findings, problems } = stack;
    const sections: Section[] = [
        { title: "Does not preview:", items: problems.head === undefined ? [] : [problems.head] },
        {
            title: "The base does not preview, so that nothing is compared:",
            items: problems.base === undefined ? [] : [problems.base],
        },
        { title: "Data in danger:", items: stack.endangered.map(lineOf) },
        { title: "Releases:", items: [...stack.releases] },
        { title: "New findings:", items: findings.fresh.map(advised) },
        { title: "Values:", items: stack.edits.map(editLine) },
        { title: "Fixed findings:", items: findings.fixed.map(finding) },
        { title: "Findings that were there before:", items: findings.existing.map(finding), folded: true },
        {
            title: "Findings that an exception accepts:",
            items: findings.suppressed.map(accepted),
            folded: true,
        },
        {
            title: "Undetermined, because a value is known only after the update:",
            items: undeterminedLines(findings.undetermined),
            folded: true,
        },
    ];
    return sections.filter(({ items }) => items.length > 0);
}

function undeterminedLines(findings: readonly Finding[]): string[] {
    const kinds = new Map<string, string[]>();
    for (const { rule, message, urn } of findings) {
        const kind = `${rule}: ${message}`;
        kinds.set(kind, [...(kinds.get(kind) ?? []), urn.split("::").at(-1)!]);
    }
    return [...kinds].map(([kind, names]) => `${kind}: ${names.join(", ")}`);
}

function editLine({ path, before, after, procedure }: Edit): string {
    const change =
        before === undefined ? `set to ${after}` : after === undefined ? "removed" : `${before} => ${after}`;
    return `${path}: ${change}${procedure === undefined ? "" : `. ${procedure}`}`;
}

function stackSection(stack: StackReview, review: Review, withProperties: boolean): string[] {
    return [
        `### ${stack.stack}: ${summaryOf(stack.changes)}`,
        "",
        ...sectionsOf(stack, review).flatMap(({ title, items, folded }) => {
            const list = items.map((item) => `- ${inline(item)}`);
            return folded ? fold(`${title} ${items.length}`, list) : [`**${title}**`, "", ...list, ""];
        }),
        ...(stack.changes.length === 0
            ? []
            : fold("Resources", [
                  "```diff",
                  ...stack.changes.flatMap((change) => [
                      `${DIFF_MARKS[change.operation] ?? "!"} ${lineOf(change)}`,
                      ...(withProperties ? describeProperties(change).map((line) => `      ${line}`) : []),
                  ]),
                  "```",
              ])),
    ];
}

/** How GitHub colours a line of a diff. */
const DIFF_MARKS: Partial<Record<Change["operation"], string>> = { create: "+", delete: "-" };

function fold(title: string, lines: readonly string[]): string[] {
    return [`<details><summary>${inline(title)}</summary>`, "", ...lines, "", "</details>", ""];
}

/** Text of values and messages, which must not be taken for Markdown or HTML. */
function inline(text: string): string {
    return text
        .replaceAll("\n", " ")
        .replace(/[\\`*_{}[\]<>|@#]/g, (character) =>
            character === "<" ? "&lt;" : character === "@" ? "@\u200b" : `\\${character}`,
        );
}

function lineOf({ operation, resource }: Change): string {
    return `${operation} ${resource.type} ${resource.name}${resource.options.protect ? " (protected)" : ""}`;
}

function summaryOf(changes: readonly Change[]): string {
    const parts = Object.entries(OPERATIONS).flatMap(([operation, { phrase }]) => {
        const number = changes.filter((change) => change.operation === operation).length;
        return number === 0 ? [] : [`${number} ${phrase}`];
    });
    return parts.length === 0 ? "nothing changes" : parts.join(", ");
}
