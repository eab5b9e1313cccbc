import { catalogue } from "./catalogue";
import { type Procedure } from "./procedure";

/** The catalogue as a page (docs/runbook.md). */
export function renderRunbook(): string {
    return [
        "# Runbook",
        "",
        "Generated from `runbook/catalogue.ts` by `npm run docs`. The commands are those of production; another stack's",
        "differ by its name. What each step changes is tested against the program.",
        "",
        "| Procedure | Sections |",
        "| --- | --- |",
        ...catalogue.map(({ id, title, sections }) => `| [${title}](#${id}) | ${sections.join(", ")} |`),
        "",
        ...catalogue.flatMap(renderProcedure),
    ].join("\n");
}

function renderProcedure(procedure: Procedure): string[] {
    const { id, title, sections, when, edits, changes, verify, undo } = procedure;
    const values = edits.map(({ path, value }) => `- \`${path}\`: ${value}`);
    const effects = changes.map(({ operation, type, name }) => `- ${operation} \`${type}\` \`${name}\``);
    return [
        `<a id="${id}"></a>`,
        "",
        `## ${title}`,
        "",
        `Section ${sections.join(", ")}. ${when}`,
        "",
        ...(edits.length === 0
            ? []
            : [
                  ...values,
                  "",
                  "```bash",
                  ...commandsOf(procedure),
                  "```",
                  "",
                  "The example changes exactly:",
                  "",
                  ...effects,
                  "",
              ]),
        `**Verified by:** ${verify}`,
        "",
        `**Undone by:** ${undo}`,
        "",
    ];
}

/** What the operator types for the procedure's example. */
export function commandsOf({ preparation = [], edits, pinsImages }: Procedure): string[] {
    return [
        ...preparation,
        `npm run preview -- ${edits.map(({ path, example }) => `--set '${path}=${example}'`).join(" ")}`,
        ...edits.map(
            ({ path, example }) => `pulumi config set --stack production --path '${path}' ${example}`,
        ),
        ...(pinsImages ? ["npm run images -- pin --stack production"] : []),
        "pulumi up --stack production",
    ];
}
