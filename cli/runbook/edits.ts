import { createInterface } from "node:readline/promises";
import { type StackValues } from "../../config";
import { UsageError } from "../../offline/stackFile";
import { editsWith, flagOf, parametersOf } from "../../runbook/parameters";
import { type Procedure } from "../../runbook/procedure";
import { type Interruption } from "../interruption";

/**
 * The edits of a procedure with values for its parameters. Prompts for missing ones at a terminal. A run that `resumes`
 * an earlier one finds that one's values in the stack file.
 *
 * @throws UsageError that names every missing parameter that cannot be prompted for, and every invalid value.
 */
export async function givenEdits(
    procedure: Procedure,
    stack: StackValues,
    given: Readonly<Record<string, string>>,
    ask: ((question: string) => Promise<string>) | undefined,
    resumes = false,
): Promise<string[]> {
    const parameters = parametersOf(procedure);
    const values = withDefaults(procedure, stack, given, resumes);
    const missing = parameters.filter(
        ({ name, keeps, neededWhen }) =>
            values[name] === undefined && (!keeps || neededWhen?.of(stack, values) === true),
    );
    if (ask === undefined && missing.length > 0) {
        const lines = missing.map(
            ({ name, meaning, example }) =>
                `${flagOf(name)}: found nothing, expected ${meaning}, such as ${example}`,
        );
        throw new UsageError(lines.join("\n"), optionsHint(procedure));
    }
    for (const { name, meaning, example } of missing) {
        values[name] = await ask!(`${meaning} (such as ${example}): `);
    }
    const wrong = parameters.flatMap(({ name, choices }) => {
        const value = values[name];
        const known = choices?.(stack);
        const expected = known === undefined ? "a value" : `one of ${known.join(", ")}`;
        return value === undefined || (known?.includes(value) ?? value !== "")
            ? []
            : [`${flagOf(name)}: found ${JSON.stringify(value)}, expected ${expected}`];
    });
    // A resumed run finds its values in the stack file.
    if (wrong.length === 0 && !resumes) {
        wrong.push(...(procedure.refuses?.(stack, values) ?? []));
    }
    if (wrong.length > 0) {
        throw new UsageError(wrong.join("\n"), optionsHint(procedure));
    }
    return editsWith(procedure, values);
}

/** The given values, and the defaults of the others. */
export function withDefaults(
    procedure: Procedure,
    stack: StackValues,
    given: Readonly<Record<string, string>>,
    resumes = false,
): Record<string, string> {
    const values: Record<string, string> = { ...given };
    // In order: a default may depend on an earlier parameter.
    for (const { name, default: standard } of parametersOf(procedure)) {
        const value = typeof standard === "object" ? standard.of(stack, values, resumes) : standard;
        if (value !== undefined) {
            values[name] ??= value;
        }
    }
    return values;
}

/** Leads to the options of a procedure. */
export const optionsHint = ({ id }: Procedure) => `Options: npm run runbook -- plan ${id} --help`;

/** Prompts at the terminal; undefined without one, as in a pipeline. Ctrl-C and Ctrl-D interrupt. */
export function terminal(interruption: Interruption): ((question: string) => Promise<string>) | undefined {
    if (!process.stdin.isTTY || !process.stderr.isTTY) {
        return undefined;
    }
    return async (question) => {
        const lines = createInterface({ input: process.stdin, output: process.stderr });
        // Both keys close it, without a signal while a line is read.
        lines.once("close", interruption.interrupt);
        try {
            return (await lines.question(question, { signal: interruption.signal })).trim();
        } finally {
            lines.off("close", interruption.interrupt);
            lines.close();
        }
    };
}
