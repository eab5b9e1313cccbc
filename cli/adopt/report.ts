import { fold } from "../../core/fold";
import { painter, type Screen } from "../../offline/layout";
import { type Blocker, type Match } from "./problems";

/** What `npm run adopt` has found. */
export interface Adoption {
    stack: string;
    matches: readonly Match[];
    blockers: readonly Blocker[];
    /** What is there and no resource declares. */
    undeclared: readonly string[];
    /** Resources that the first update makes. */
    made: number;
    /** Commands that set the values by which the stack fits. */
    values: readonly string[];
}

/** Names most properties of a pod template together: nearly all of them change. */
function shortened(changes: readonly string[], full: boolean): readonly string[] {
    const inTemplate = full ? [] : changes.filter((path) => path.startsWith(TEMPLATE));
    return inTemplate.length < 2
        ? changes
        : [
              ...changes.filter((path) => !inTemplate.includes(path)),
              `spec.template (${inTemplate.length} properties: --full names them)`,
          ];
}

const TEMPLATE = "spec.template.";

const INDENT = "    ";

/** The findings as text; `full` names every property of a pod template. */
export function renderAdoption(adoption: Adoption, full: boolean, screen: Screen): string {
    const { stack, matches, blockers, undeclared, made, values } = adoption;
    const paint = painter(screen);
    const same = matches.filter(({ changes }) => changes.length === 0);
    const changed = matches.filter(({ changes }) => changes.length > 0);
    const folded = (line: string, indent: string) => fold(`${indent}${line}`, screen.width, `${indent}  `);
    const section = (title: string, lines: readonly string[]) =>
        lines.length === 0 ? [] : [paint("bold", title), ...lines, ""];
    return [
        `${stack}: ${matches.length} things exist that the program declares, ${made} are made by the first update.`,
        "",
        ...section(
            `Adopted as it is (${same.length})`,
            same.map(({ subject }) => `  ${subject}`),
        ),
        ...section(
            `Changed in place by the first update (${changed.length})`,
            changed.flatMap(({ subject, changes }) => [
                `  ${subject}`,
                ...folded(shortened(changes, full).join(", "), INDENT),
            ]),
        ),
        ...section(
            `Cannot be adopted (${blockers.length})`,
            // A command stays on one line, to be copied.
            blockers.flatMap(({ subject, reason, remedy }) => [
                `  ${paint("red", "✗")} ${subject}`,
                ...folded(reason, INDENT),
                ...remedy.map((line) => `${INDENT}→ ${line}`),
            ]),
        ),
        ...section(
            `There and not declared (${undeclared.length}): it stays as it is`,
            undeclared.map((line) => `  ${line}`),
        ),
        ...section(
            "Values by which the stack fits: set them before the import",
            values.map((line) => `  ${line}`),
        ),
    ]
        .join("\n")
        .trimEnd()
        .concat("\n");
}
