import { styleText } from "node:util";
import { type Change } from "../../offline/compare";
import { type CostChange, describeDifference } from "../../offline/costs";
import { describeProperties, OPERATIONS } from "../../offline/describe";
import { plural } from "../../offline/summary";
import { type Violation } from "../../policies/rule";
import { type Edit, isMandatory, isRefused, type Review, type StackReview } from "./review";

/** A line, or a line with children. */
export type Item = string | readonly [string, ...string[]];

/** A list under a title. */
export interface Section {
    readonly title: string;
    readonly items: readonly Item[];
    /** Collapsed by default. */
    readonly folded?: boolean;
}

/** Content of a review, independent of the format. */
export interface Report {
    readonly verdict: string;
    /** Across all stacks, first: failed previews, refusals, dangers to data. */
    readonly urgent: readonly Section[];
    readonly stacks: readonly {
        readonly title: string;
        /** Most important first. */
        readonly sections: readonly Section[];
        readonly changes: readonly Change[];
    }[];
}

/** Builds the report of a review. */
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

/** Colours of the verdicts. */
const COLOURS = { Refused: "red", "Look closely": "yellow", "Nothing against it": "green" } as const;

/** The review for a terminal. Default: without colour. */
export function renderText(review: Review, colour = false): string {
    const { verdict: first, urgent, stacks } = reportOf(review);
    const listed = ({ title, items }: Section) => [
        `  ${title}`,
        ...items.flatMap((item) =>
            [item]
                .flat()
                .map((line, index) => `${" ".repeat(index === 0 ? 4 : 6)}${line.replaceAll("\n", "\n    ")}`),
        ),
    ];
    const paint = Object.entries(COLOURS).find(([word]) => first.startsWith(word))?.[1];
    const heading = colour && paint ? styleText(paint, first, { validateStream: false }) : first;
    const lines = [heading, `Compared with ${review.base}.`, ...urgent.flatMap(listed)];
    for (const { title, sections, changes } of stacks) {
        lines.push("", `Stack ${title}`, ...sections.flatMap(listed));
        lines.push(
            ...changes.flatMap((change) => [
                `  ${lineOf(change)}`,
                ...describeProperties(change).map((line) => `      ${line}`),
            ]),
        );
    }
    return `${lines.join("\n")}\n`;
}

/** The review in a line: what blocks it, what needs attention, and the number of changes. */
export function verdict(review: Review): string {
    const { stacks } = review;
    const total = (itemsOf: (stack: StackReview) => readonly unknown[]) =>
        stacks.reduce((sum, stack) => sum + itemsOf(stack).length, 0);
    const counted = (what: string, itemsOf: (stack: StackReview) => readonly unknown[], many?: string) => {
        const number = total(itemsOf);
        return number === 0
            ? []
            : [number > 1 && many !== undefined ? `${number} ${many}` : plural(number, what)];
    };
    const more = stacks.reduce((sum, { costs }) => sum + differenceOf(costs), 0);
    const { attention = [] } = review;
    const reasons = [
        ...(attention.length > 0
            ? [`${plural(attention.length, "thing")} that need${attention.length === 1 ? "s" : ""} attention`]
            : []),
        ...stacks.flatMap(({ stack, problems }) =>
            problems.head === undefined ? [] : [`${stack} does not preview`],
        ),
        ...stacks.flatMap(({ stack, problems }) =>
            problems.base === undefined ? [] : [`${stack} was not compared`],
        ),
        ...counted("change that the engine refuses", refusedOf, "changes that the engine refuses"),
        ...counted("change that AWS refuses", ({ refusedByAws }) => refusedByAws, "changes that AWS refuses"),
        ...counted("new finding", ({ findings }) => findings.fresh),
        ...counted(
            "release that is not approved",
            ({ unapproved }) => unapproved,
            "releases that are not approved",
        ),
        ...counted(
            "value that is deployed and not committed",
            ({ provenance }) => provenance.lost,
            "values that are deployed and not committed",
        ),
        ...counted(
            "stateful resource deleted or replaced",
            endangeredOf,
            "stateful resources deleted or replaced",
        ),
        ...counted("resource less protected", ({ unprotected }) => unprotected, "resources less protected"),
        ...counted("thing not compared", ({ notCompared }) => notCompared, "things not compared"),
        ...counted("new access", ({ access }) => access.gained, "new accesses"),
        ...counted(
            "safeguard removed or changed",
            ({ loosened }) => loosened,
            "safeguards removed or changed",
        ),
        ...counted(
            "image changed under its version",
            ({ images }) => images,
            "images changed under their versions",
        ),
        ...(isExpensive(review) ? [`${describeDifference(more)}`] : []),
    ];
    const word = isRefused(review) ? "Refused" : reasons.length > 0 ? "Look closely" : "Nothing against it";
    const changed = total(({ changes }) => changes);
    const parts = [
        ...reasons,
        ...(total(({ findings }) => findings.fresh) > 0 ? [] : ["no new findings"]),
        changed > 0 ? `${plural(changed, "resource")} changed` : "no resource changed",
    ];
    return `${word}: ${parts.join(", ")}`;
}

/** Increase of the monthly cost that needs attention, in dollars of us-east-1. */
const MUCH = 50;

function differenceOf(costs: readonly CostChange[]): number {
    return costs.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** Whether the change increases the cost by more, or the cost is unknown. */
function isExpensive({ stacks }: Review): boolean {
    return stacks.some(({ costs }) => !(differenceOf(costs) <= MUCH));
}

function costLine({ what, quantity, from, to }: CostChange): string {
    return `${what}: ${quantity}, ${describeDifference(to - from)}`;
}

function urgentSections(review: Review): Section[] {
    const { stacks } = review;
    const ofEach = (items: (stack: StackReview) => readonly string[]) =>
        stacks.flatMap((stack) => items(stack).map((item) => `${stack.stack}: ${item}`));
    return filled([
        {
            title: "Needs attention, because it decides how changes are judged. This one",
            items: [...(review.attention ?? [])],
        },
        { title: "Does not preview:", items: ofEach(({ problems: { head } }) => listOf(head)) },
        {
            title: "Was not compared, because the base does not preview:",
            items: ofEach(({ problems: { base } }) => listOf(base)),
        },
        {
            title: "Refused by the engine, before it changes anything:",
            items: ofEach((stack) => refusedOf(stack).map(lineOf)),
        },
        {
            title: "Refused by AWS, in the middle of the update:",
            items: ofEach((stack) => stack.refusedByAws),
        },
        { title: "Releases without approval:", items: ofEach((stack) => stack.unapproved) },
        {
            title: "Deployed and not committed, so that the next deploy is refused:",
            items: ofEach(({ provenance }) => provenance.lost),
        },
        {
            title: "Data in danger:",
            items: ofEach((stack) => [...endangeredOf(stack).map(lineOf), ...stack.unprotected]),
        },
        {
            title: "New violations of mandatory policies:",
            items: groupedByRule(
                stacks.flatMap((stack) =>
                    stack.findings.fresh
                        .filter((each) => isMandatory(each, review.rules))
                        .map((finding) => ({ finding, stack })),
                ),
                review,
            ),
        },
        { title: "Not compared:", items: ofEach((stack) => stack.notCompared) },
        { title: "Access:", items: ofEach(({ access }) => access.gained) },
        { title: "Safeguards:", items: ofEach((stack) => stack.loosened) },
        { title: "Other images under the same version:", items: ofEach((stack) => stack.images) },
    ]);
}

function refusedOf({ changes }: StackReview): Change[] {
    return changes.filter(({ refused, refusal }) => refused && refusal === undefined);
}

/** Endangered resources that the engine does not refuse. */
function endangeredOf({ endangered }: StackReview): Change[] {
    return endangered.filter(({ refused }) => !refused);
}

/** The rest of a stack, except its resources. */
function sectionsOf(stack: StackReview, review: Review): Section[] {
    const { workloads, findings, edits, costs, access, provenance, stack: name } = stack;
    const line = (each: Violation) => findingLine(each, review);
    const advisory = findings.fresh.filter((each) => !isMandatory(each, review.rules));
    return filled([
        { title: "Workloads:", items: workloads },
        {
            title: "New findings of advisory policies:",
            items: groupedByRule(
                advisory.map((finding) => ({ finding, stack })),
                review,
            ),
        },
        {
            title: "Values:",
            items: [
                ...edits.map(editLine),
                ...(edits.length === 0 || provenance.authors.length === 0
                    ? []
                    : [`Pulumi.${name}.yaml is changed by ${provenance.authors.join(", ")}`]),
            ],
        },
        { title: "Values that are not committed:", items: provenance.uncommitted, folded: true },
        {
            title: "Costs:",
            items: [
                ...costs.map(costLine),
                ...(costs.length > 1 ? [`together: ${describeDifference(differenceOf(costs))}`] : []),
            ],
        },
        { title: "Access that ends:", items: access.lost, folded: true },
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

/** Findings by rule, an item each: the rule, its findings, and the remediation. */
function groupedByRule(
    found: readonly { finding: Violation; stack: StackReview }[],
    { rules }: Review,
): Item[] {
    return [...new Set(found.map(({ finding }) => finding.rule))].map((name) => {
        const rule = rules.find((each) => each.name === name);
        const lines = found
            .filter(({ finding }) => finding.rule === name)
            .map(({ finding: { urn, message }, stack: { stack, sources } }) => {
                const source = sources.get(urn);
                const place = source === undefined ? "" : ` (${source.file}:${source.line})`;
                const where = urn.split("::").slice(2).join(" ") || "the stack";
                return `${stack}: ${where}: ${message}${place}`;
            });
        const remedy = rule === undefined ? [] : [`To do: ${rule.remediation}`];
        return [`${name} [${rule?.enforcement ?? "no rule any more"}]`, ...lines, ...remedy];
    });
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

/** A changed resource as a line. */
export function lineOf({ operation, resource, refused, refusal }: Change): string {
    const { type, name, options, inputs } = resource;
    const notes = [
        ...(refused
            ? [refusal ?? "protected: the engine refuses it"]
            : options.protect === true
              ? ["protected"]
              : []),
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
