import { type Change } from "../../offline/compare";
import { OPERATIONS } from "../../offline/render";
import { plural } from "../../offline/summary";
import { type Violation } from "../../policies/rule";
import { type Edit, isMandatory, isRefused, type Review, type StackReview } from "./review";

/** A list under a title. */
export interface Section {
    readonly title: string;
    readonly items: readonly string[];
    /** Shown on demand only. */
    readonly folded?: boolean;
}

/** What a review says, whatever it is written as. */
export interface Report {
    readonly verdict: string;
    /** Of all stacks, before anything else: what does not preview, what is refused, what endangers data. */
    readonly urgent: readonly Section[];
    readonly stacks: readonly {
        readonly title: string;
        /** What matters most first. */
        readonly sections: readonly Section[];
        readonly changes: readonly Change[];
    }[];
}

/** Puts a review into words. */
export function reportOf(review: Review): Report {
    return {
        verdict: verdict(review),
        urgent: urgentSections(review),
        stacks: review.stacks.map((stack) => ({
            title: `${stack.stack}: ${summaryOf(stack.changes)}`,
            sections: sectionsOf(stack, review),
            changes: stack.changes,
        })),
    };
}

/** The review for a terminal. */
export function renderText(review: Review): string {
    const { verdict: first, urgent, stacks } = reportOf(review);
    const listed = ({ title, items }: Section) => [
        `  ${title}`,
        ...items.map((item) => `    ${item.replaceAll("\n", "\n    ")}`),
    ];
    const lines = [first, `Compared with ${review.base}.`, ...urgent.flatMap(listed)];
    for (const { title, sections, changes } of stacks) {
        lines.push("", `Stack ${title}`, ...sections.flatMap(listed));
        lines.push(...changes.map((change) => `  ${lineOf(change)}`));
    }
    return `${lines.join("\n")}\n`;
}

/** The review in a line. */
export function verdict(review: Review): string {
    const { stacks } = review;
    const fresh = stacks.reduce((sum, { findings }) => sum + findings.fresh.length, 0);
    const total = (changesOf: (stack: StackReview) => readonly Change[]) =>
        stacks.reduce((sum, stack) => sum + changesOf(stack).length, 0);
    const [refused, endangered, changed] = [
        total(refusedOf),
        total(endangeredOf),
        total(({ changes }) => changes),
    ];
    const word = isRefused(review) ? "Refused" : endangered > 0 ? "Look closely" : "Nothing against it";
    const parts = [
        ...stacks.flatMap(({ stack, problems }) =>
            problems.head === undefined ? [] : [`${stack} does not preview`],
        ),
        ...stacks.flatMap(({ stack, problems }) =>
            problems.base === undefined ? [] : [`${stack} has no base to compare with`],
        ),
        fresh > 0 ? `${plural(fresh, "new finding")}` : "no new findings",
        ...(refused > 0 ? [`${plural(refused, "change")} that the engine refuses`] : []),
        ...(endangered > 0 ? [`${plural(endangered, "stateful resource")} deleted or replaced`] : []),
        changed > 0 ? `${plural(changed, "resource")} changed` : "no resource changed",
    ];
    return `${word}: ${parts.join(", ")}`;
}

function urgentSections(review: Review): Section[] {
    const { stacks } = review;
    const ofEach = (items: (stack: StackReview) => readonly string[]) =>
        stacks.flatMap((stack) => items(stack).map((item) => `${stack.stack}: ${item}`));
    return filled([
        { title: "Does not preview:", items: ofEach(({ problems: { head } }) => listOf(head)) },
        {
            title: "Refused by the engine, before it changes anything:",
            items: ofEach((stack) => refusedOf(stack).map(lineOf)),
        },
        { title: "Data in danger:", items: ofEach((stack) => endangeredOf(stack).map(lineOf)) },
        {
            title: "New violations of mandatory policies:",
            items: ofEach(({ findings }) =>
                findings.fresh
                    .filter((each) => isMandatory(each, review.rules))
                    .map((each) => advised(each, review)),
            ),
        },
        {
            title: "The base does not preview, so that nothing is compared:",
            items: ofEach(({ problems: { base } }) => listOf(base)),
        },
    ]);
}

function refusedOf({ changes }: StackReview): Change[] {
    return changes.filter(({ refused }) => refused);
}

/** What is in danger and not refused: the engine keeps the rest from it. */
function endangeredOf({ endangered }: StackReview): Change[] {
    return endangered.filter(({ refused }) => !refused);
}

/** Everything of a stack that is not urgent, but for the resources. */
function sectionsOf({ workloads, findings, edits }: StackReview, review: Review): Section[] {
    const line = (each: Violation) => findingLine(each, review);
    const advisory = findings.fresh.filter((each) => !isMandatory(each, review.rules));
    return filled([
        { title: "Workloads:", items: workloads },
        { title: "New findings of advisory policies:", items: advisory.map((each) => advised(each, review)) },
        { title: "Values:", items: edits.map(editLine) },
        { title: "Fixed findings:", items: findings.fixed.map(line) },
        { title: "Findings that were there before:", items: findings.existing.map(line), folded: true },
        {
            title: "Findings that an exception accepts:",
            items: findings.suppressed.map((each) => {
                const { exception } = each;
                return exception === undefined
                    ? line(each)
                    : `${line(each)}\n${exception.reason} (${exception.ticket}, ${exception.owner}, until ${exception.expires})`;
            }),
            folded: true,
        },
        {
            title: "Undetermined, because a value is known only after the update:",
            items: undeterminedLines(findings.undetermined),
            folded: true,
        },
    ]);
}

function filled(sections: readonly Section[]): Section[] {
    return sections.filter(({ items }) => items.length > 0);
}

function listOf(text: string | undefined): string[] {
    return text === undefined ? [] : [text];
}

function findingLine({ rule, urn, message }: Violation, { rules }: Review): string {
    const enforcement = rules.find(({ name }) => name === rule)?.enforcement ?? "no rule any more";
    return `${rule} [${enforcement}] ${urn.split("::").slice(2).join(" ")}: ${message}`;
}

function advised(finding: Violation, review: Review): string {
    const advice = review.rules.find(({ name }) => name === finding.rule)?.remediation;
    const line = findingLine(finding, review);
    return advice === undefined ? line : `${line}\n${advice}`;
}

function undeterminedLines(findings: readonly Violation[]): string[] {
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

/** A changed resource in a line. */
export function lineOf({ operation, resource, refused }: Change): string {
    const { type, name, options, inputs } = resource;
    const notes = [
        ...(refused ? ["protected: the engine refuses it"] : options.protect === true ? ["protected"] : []),
        ...(operation === "delete" && (options.retainOnDelete === true || inputs["skipDestroy"] === true)
            ? ["what it holds stays in the account"]
            : []),
    ];
    return `${operation} ${type} ${name}${notes.length === 0 ? "" : ` (${notes.join("; ")})`}`;
}

function summaryOf(changes: readonly Change[]): string {
    const parts = Object.entries(OPERATIONS).flatMap(([operation, { phrase }]) => {
        const number = changes.filter((change) => change.operation === operation).length;
        return number === 0 ? [] : [`${number} ${phrase}`];
    });
    return parts.length === 0 ? "nothing changes" : parts.join(", ");
}
