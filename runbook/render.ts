import { catalogue } from "./catalogue";
import { SEVERITIES, type Severity } from "../core/numbers";
import { examplesOf, flagOf, optionsOf, parametersOf, pathWith } from "./parameters";
import { type ExpectedChange, type Procedure } from "./procedure";
import { SYMPTOMS } from "../core/symptoms";

/** An alarm, as far as it leads to a procedure. */
export interface Lead {
    id: string;
    severity: Severity;
    /** What is wrong when it rings, in a sentence. */
    meaning: string;
    /** Id of the procedure. */
    procedure: string;
}

/** The catalogue as a page (docs/runbook.md), with the alarms that lead to its procedures. */
export function renderRunbook(alarms: readonly Lead[]): string {
    return [
        "# Runbook",
        "",
        "Generated from `runbook/catalogue.ts` by `npm run docs`. The commands are those of production; another stack's",
        "differ by its name. What each step changes is tested against the program. `npm run runbook -- run ID` does a step",
        "at once: it sets the values, previews, asks, and updates.",
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

/** The way from each alarm to its procedure, the most severe first. */
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
export function renderProcedure(procedure: Procedure, alarms: readonly Lead[]): string[] {
    const { id, title, sections, when, looks = [], edits, from, changes, verify, undo, rights } = procedure;
    const options = optionsOf(procedure).map(
        ([flag, meaning, without]) => `| \`${flag}\` | ${meaning} | ${without} |`,
    );
    const leading = alarms
        .filter((alarm) => alarm.procedure === id)
        .map((alarm) => `[${alarm.id}](alarms.md#${alarm.id}) (${alarm.severity})`);
    return [
        `<a id="${id}"></a>`,
        "",
        `## ${title}`,
        "",
        `Section ${sections.join(", ")}. ${when}`,
        "",
        ...(looks.length === 0 ? [] : ["```bash", ...looks, "```", ""]),
        ...(edits.length === 0
            ? []
            : [
                  "| Option | What it is | Without it |",
                  "| --- | --- | --- |",
                  ...options,
                  "",
                  "```bash",
                  ...commandsOf(procedure),
                  "```",
                  "",
                  `Or at once: \`${commandOf("run", procedure)}\``,
                  "",
                  from === undefined
                      ? "The example changes exactly:"
                      : `With \`${from.join("`, `")}\` before it, the example changes exactly:`,
                  "",
                  ...effectsOf(changes),
                  "",
              ]),
        ...(leading.length === 0 ? [] : [`**Alarms that lead here:** ${leading.join(", ")}`, ""]),
        `**Verified by:** ${verify}`,
        "",
        `**Undone by:** ${undo}`,
        "",
        ...(rights === undefined ? [] : [`**Rights:** ${rights}`, ""]),
    ];
}

/** What the example changes, in one line for what happens to a type. */
function effectsOf(changes: readonly ExpectedChange[]): string[] {
    const names = new Map<string, string[]>();
    for (const { operation, type, name } of changes) {
        const what = `${operation} \`${type}\``;
        names.set(what, [...(names.get(what) ?? []), `\`${name}\``]);
    }
    return [...names].map(([what, all]) => `- ${what} ${all.join(", ")}`);
}

/** What the operator types for the procedure's example. */
function commandsOf(procedure: Procedure): string[] {
    const { preparation = [], replaces, edits, pinsImages } = procedure;
    const examples = examplesOf(procedure);
    return [
        ...preparation,
        commandOf("plan", procedure),
        ...(replaces === undefined
            ? []
            : [`pulumi config rm --stack production --path '${pathWith(replaces, examples)}'`]),
        ...edits.map(({ path, example }) => {
            // The engine refuses the letter: an index that is copied would overwrite what is there.
            const index = replaces !== undefined && path.startsWith(`${replaces}.`) ? "[0]" : "[N]";
            const place = pathWith(path, examples).replace("[]", index);
            const note = place.endsWith("[N]") ? "   # N: how many the list has" : "";
            return `pulumi config set --stack production --path '${place}' ${example}${note}`;
        }),
        ...(pinsImages ? ["npm run images -- pin --stack production"] : []),
        "pulumi up --stack production --policy-pack policies",
    ];
}

/** The procedure's example in one command: `plan` shows offline what `run` does, which asks before it changes anything. */
export function commandOf(action: "plan" | "run" | "show", procedure: Procedure): string {
    const parameters = parametersOf(procedure).map(({ name, example }) => `${flagOf(name)} ${example}`);
    return [`npm run runbook -- ${action}`, procedure.id, ...parameters].join(" ");
}
