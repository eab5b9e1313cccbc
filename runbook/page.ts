import { LEDGER } from "../core/labels";
import { type Severity } from "../core/numbers";
import { examplesOf, flagOf, optionsOf, parametersOf, pathWith } from "./parameters";
import { type ExpectedChange, type Procedure } from "./procedure";
import { timeOf, waitsOf } from "./waits";

/** The fields of an alarm that lead to a procedure. */
export interface Lead {
    id: string;
    severity: Severity;
    /** What is wrong when it fires, in a sentence. */
    meaning: string;
    /** Id of the procedure. */
    procedure: string;
}

/** A part of a section. Texts contain code and links in Markdown. */
export type Part =
    | { readonly text: string }
    | { readonly commands: readonly string[] }
    | { readonly items: readonly string[] }
    | { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] };

/** A section of a procedure's page. */
export interface Section {
    readonly label: string;
    readonly parts: readonly Part[];
}

/** A procedure in reading order for an incident: commands first, explanations last. */
export function sectionsOf(procedure: Procedure, alarms: readonly Lead[]): Section[] {
    const { id, looks = [], edits, from, changes, verify, undo } = procedure;
    const leading = alarms
        .filter((alarm) => alarm.procedure === id)
        .map((alarm) => `[${alarm.id}](alarms.md#${alarm.id}) (${alarm.severity})`);
    const changing: Section[] = [
        { label: "Needs", parts: needsOf(procedure) },
        { label: "Command", parts: [{ commands: [commandOf("run", procedure)] }] },
        { label: "Gates and time", parts: waits(procedure) },
        { label: "Abort", parts: abort(procedure) },
    ];
    const afterwards: Section[] = [
        { label: "Commit", parts: [{ text: COMMIT }] },
        { label: "Verified by", parts: [{ text: verify }] },
    ];
    const rest: Section[] = [
        { label: "Without `run`", parts: [{ commands: commandsOf(procedure) }] },
        {
            label: "Changes",
            parts: [
                {
                    text:
                        from === undefined
                            ? "The example changes exactly:"
                            : `With \`${from.join("`, `")}\` before it, the example changes exactly:`,
                },
                { items: effectsOf(changes) },
            ],
        },
    ];
    const undone: Section = { label: "Undo", parts: [{ text: undo }] };
    return [
        ...(looks.length === 0 ? [] : [{ label: "Look", parts: [{ commands: looks }] }]),
        ...(edits.length === 0
            ? [
                  ...rights(procedure),
                  { label: looks.length === 0 ? "Verified by" : "Next", parts: [{ text: verify }] },
                  undone,
              ]
            : [...changing, undone, ...afterwards]),
        ...(leading.length === 0 ? [] : [{ label: "Alarms that lead here", parts: [{ items: leading }] }]),
        ...(edits.length === 0 ? [] : rest),
    ];
}

const COMMIT =
    "`run` prints the commands; with `--commit` it commits the stack file on a branch. The next deploy from main takes back " +
    "what is not committed.";

function rights({ rights: text }: Procedure): Section[] {
    return text === undefined ? [] : [{ label: "Rights", parts: [{ text }] }];
}

function needsOf(procedure: Procedure): Part[] {
    const { preparation = [], rights: text } = procedure;
    const options = optionsOf(procedure);
    return [
        {
            text:
                "The Pulumi CLI, and the rights and the key to update the stack: `npm run doctor` checks them." +
                (text === undefined ? "" : ` ${text}`),
        },
        ...(preparation.length === 0 ? [] : [{ commands: preparation }]),
        {
            columns: ["Option", "What it is"],
            rows: options.map(([flag, meaning, without]) => [
                `\`${flag}\``,
                `${meaning}; without it: ${without}`,
            ]),
        },
    ];
}

function waits(procedure: Procedure): Part[] {
    const { waitsNote } = procedure;
    const rows = waitsOf(procedure).map(({ what, seconds, meaning }) => [what, timeOf(seconds), meaning]);
    return [
        rows.length === 0
            ? {
                  text: "No gate and no rollout: the update is done as soon as AWS and Kubernetes have the values.",
              }
            : { columns: ["The update waits for", "at most", "until"], rows },
        ...(waitsNote === undefined ? [] : [{ text: waitsNote }]),
    ];
}

function abort(procedure: Procedure): Part[] {
    const text =
        "Ctrl-C: the engine ends the step that it is at, and what is done stays done. The same command with `--refresh` goes on.";
    if (!waitsOf(procedure).some(({ what }) => what === "soak gate")) {
        return [{ text }];
    }
    const { workload } = examplesOf(procedure);
    return [
        {
            text:
                "At the capacity or the soak gate, from another terminal, with the release's version. The gate fails, and the " +
                "update takes the release back:",
        },
        {
            commands: [
                `kubectl patch configmap ${LEDGER} -n mcp-production --type merge ` +
                    `-p '${JSON.stringify({ data: { [`${workload}.abort`]: "VERSION" } })}'`,
            ],
        },
        { text: `\`--abort-soak\` of a more urgent procedure does the same. ${text}` },
    ];
}

/** The example's changes, one line for each operation and type. */
function effectsOf(changes: readonly ExpectedChange[]): string[] {
    const names = new Map<string, string[]>();
    for (const { operation, type, name } of changes) {
        const what = `${operation} \`${type}\``;
        names.set(what, [...(names.get(what) ?? []), `\`${name}\``]);
    }
    return [...names].map(([what, all]) => `${what} ${all.join(", ")}`);
}

/** Commands for the procedure's example. */
function commandsOf(procedure: Procedure): string[] {
    const { replaces, edits, pinsImages } = procedure;
    const examples = examplesOf(procedure);
    return [
        commandOf("plan", procedure),
        ...(replaces === undefined
            ? []
            : [`pulumi config rm --stack production --path '${pathWith(replaces, examples)}'`]),
        ...edits.map(({ path, example }) => {
            // The engine refuses `[]` here, so that a copied index cannot overwrite a value.
            const index = replaces !== undefined && path.startsWith(`${replaces}.`) ? "[0]" : "[N]";
            const place = pathWith(path, examples).replace("[]", index);
            const note = place.endsWith("[N]") ? "   # N: how many the list has" : "";
            return `pulumi config set --stack production --path '${place}' ${example}${note}`;
        }),
        ...(pinsImages ? ["npm run images -- pin --stack production"] : []),
        "pulumi up --stack production --policy-pack policies",
    ];
}

/**
 * The procedure's example in one command, without options whose default is right: `plan` shows offline what `run` does.
 * `run` prompts before it changes anything.
 */
export function commandOf(action: "plan" | "run" | "show", procedure: Procedure): string {
    const parameters = parametersOf(procedure)
        .filter(({ implied }) => !implied)
        .map(({ name, example }) => `${flagOf(name)} ${example}`);
    return [`npm run runbook -- ${action}`, procedure.id, ...parameters].join(" ");
}

/** A part of a text, as a paragraph or a command on separate lines. */
export type Piece = { readonly text: string } | { readonly command: string };

/** Puts commands longer than `longest` on separate lines. */
export function piecesOf(text: string, longest: number): Piece[] {
    const pieces: Piece[] = [];
    let from = 0;
    for (const { 0: code, 1: command, index } of text.matchAll(/`([^`]+)`/g)) {
        if (
            code.length > longest &&
            /^(?:[A-Z_]+=\S+ )?(?:aws|bash|kubectl|npm|pulumi|psql) /.test(command!)
        ) {
            pieces.push({ text: text.slice(from, index) }, { command: command! });
            from = index + code.length;
        }
    }
    return [...pieces, { text: text.slice(from) }].flatMap((piece): Piece[] => {
        // Omits the punctuation after a command, and empty parts.
        const plain = "text" in piece ? piece.text.replace(/^[.,;:]+(?= |$)/, "").trim() : "";
        return "command" in piece ? [piece] : plain === "" ? [] : [{ text: plain }];
    });
}
