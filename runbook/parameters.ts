import { type Edit, type Parameter, type Procedure } from "./procedure";

/** All parameters of a procedure, each once, in the order of its edits. */
export function parametersOf({
    parameters = [],
    edits,
}: Procedure): (Parameter & Pick<Edit, "keeps" | "implied" | "neededWhen">)[] {
    const all = [
        // A default from the stack's values is right for the stack; an example may not be.
        ...parameters.map((each) => ({ ...each, implied: typeof each.default === "object" })),
        ...edits.map(({ value, example, keeps = false, implied = false, neededWhen, ...edit }) => ({
            name: parameterOf(edit),
            meaning: edit.path.endsWith("[]") ? `${value}; several with commas between` : value,
            example,
            keeps,
            implied,
            neededWhen,
        })),
    ];
    return all.filter(({ name }, index) => all.findIndex((other) => other.name === name) === index);
}

/** The edits with values of the parameters, as the offline preview takes them; omits edits that keep their value. */
export function editsWith({ replaces, edits }: Procedure, given: Readonly<Record<string, string>>): string[] {
    const replaced = edits.some(
        (edit) => edit.path.startsWith(`${replaces}.`) && given[parameterOf(edit)] !== undefined,
    );
    const removed = replaces !== undefined && replaced ? [`${pathWith(replaces, given)}-`] : [];
    const set = edits.flatMap((edit) => {
        const value = given[parameterOf(edit)];
        if (value === undefined) {
            return [];
        }
        const path = pathWith(edit.path, given);
        const values = path.endsWith("[]") ? value.split(/\s*,\s*/) : [value];
        return values.map((each) => `${path}=${each}`);
    });
    return [...removed, ...set];
}

/** The edits of the documented example. */
export function exampleEdits(procedure: Procedure): string[] {
    return editsWith(procedure, examplesOf(procedure));
}

/** The example of each parameter. */
export function examplesOf(procedure: Procedure): Record<string, string> {
    return Object.fromEntries(parametersOf(procedure).map(({ name, example }) => [name, example]));
}

/** A path with its parameters replaced. */
export function pathWith(path: string, given: Readonly<Record<string, string>>): string {
    return path.replace(/\{(\w+)\}/g, (_, name: string) => given[name]!);
}

/** A procedure's option: its form, meaning, and default. */
export function optionsOf(
    procedure: Procedure,
): (readonly [flag: string, meaning: string, without: string])[] {
    return parametersOf(procedure).map(({ name, meaning, default: value, keeps = false, neededWhen }) => [
        flagOf(name),
        meaning,
        (typeof value === "object" ? value.meaning : value) ??
            (keeps
                ? `what the stack file has${neededWhen === undefined ? "" : `; must be given ${neededWhen.meaning}`}`
                : "must be given"),
    ]);
}

/** The option of a parameter. */
export function flagOf(name: string): string {
    return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function parameterOf({ parameter, path }: Pick<Edit, "parameter" | "path">): string {
    return parameter ?? /(\w+)(?:\[\])?$/.exec(path)![1]!;
}
