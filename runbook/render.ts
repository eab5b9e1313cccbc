import { catalogue } from "./catalogue";
import { foldCommand, foldMarkdown, MARKDOWN_WIDTH } from "../core/fold";
import { SEVERITIES } from "../core/numbers";
import { SYMPTOMS } from "../core/symptoms";
import { type Lead, type Part, piecesOf, sectionsOf } from "./page";
import { type Procedure } from "./procedure";

/** The catalogue as a page (docs/runbook.md), with the alarms that refer to its procedures. */
export function renderRunbook(alarms: readonly Lead[]): string {
    return [
        "# Runbook",
        "",
        "Generated from `runbook/catalogue.ts` by `npm run docs`. The commands are those of production; another stack's",
        "differ by its name. What each step changes is tested against the program. `npm run runbook -- run ID` does a step",
        "at once: it sets the values, previews, prompts, and updates.",
        "",
        "| Symptom | Likely cause | What mostly helps | Procedure |",
        "| --- | --- | --- | --- |",
        ...SYMPTOMS.map(
            ({ symptom, cause, resolution, procedure }) =>
                `| ${symptom} | ${cause} | ${resolution} | [${procedure}](#${procedure}) |`,
        ),
        "",
        ...renderIndex(alarms),
        "| Procedure | Sections |",
        "| --- | --- |",
        ...catalogue.map(({ id, title, sections }) => `| [${title}](#${id}) | ${sections.join(", ")} |`),
        "",
        ...catalogue.flatMap((procedure) => renderProcedure(procedure, alarms)),
    ].join("\n");
}

/** Each alarm and its procedure, most severe first. */
function renderIndex(alarms: readonly Lead[]): string[] {
    return [
        "| Alarm | Severity | What is wrong | Procedure |",
        "| --- | --- | --- | --- |",
        ...SEVERITIES.flatMap((severity) => alarms.filter((alarm) => alarm.severity === severity)).map(
            ({ id, severity, meaning, procedure }) =>
                `| [${id}](alarms.md#${id}) | ${severity} | ${meaning} | [${procedure}](#${procedure}) |`,
        ),
        "",
    ];
}

/** One procedure, below its anchor. */
function renderProcedure(procedure: Procedure, alarms: readonly Lead[]): string[] {
    const { id, title, sections, when } = procedure;
    return [
        `<a id="${id}"></a>`,
        "",
        `## ${title}`,
        "",
        ...paragraphs(`Section ${sections.join(", ")}. ${when}`),
        ...sectionsOf(procedure, alarms).flatMap(({ label, parts }) => {
            const [first, ...others] = parts;
            const title = `**${label}:**`;
            return first !== undefined && "text" in first
                ? [...paragraphs(`${title} ${first.text}`), ...others.flatMap(renderPart)]
                : [title, "", ...parts.flatMap(renderPart)];
        }),
    ];
}

function renderPart(part: Part): string[] {
    if ("text" in part) return paragraphs(part.text);
    if ("commands" in part) return [...commandBlock(part.commands)];
    if ("items" in part) return [...part.items.flatMap((item) => foldMarkdown(`- ${item}`, "  ")), ""];
    const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
    return [line(part.columns), line(part.columns.map(() => "---")), ...part.rows.map(line), ""];
}

/** A text as paragraphs: a command wider than a line becomes a block between them. */
function paragraphs(text: string): string[] {
    return piecesOf(text, MARKDOWN_WIDTH).flatMap((piece) =>
        "text" in piece ? [...foldMarkdown(piece.text), ""] : commandBlock([piece.command]),
    );
}

function commandBlock(commands: readonly string[]): string[] {
    return ["```bash", ...commands.flatMap((command) => foldCommand(command, MARKDOWN_WIDTH)), "```", ""];
}
