import { RunError } from "@pulumi/pulumi/errors";
import { getProject, getRootDirectory, getStack } from "@pulumi/pulumi/metadata";
import * as runtime from "@pulumi/pulumi/runtime/config";
import { configPath, formatProblems, NAMESPACE, type Problem, problemsOf, SECRET_KEYS } from "./problems";
import { stackFileMisreadings } from "./misreadings";
import { rawProblems } from "./raw";
import { stackSchema, type StackValues } from "./stack";
import { getOwn } from "../core/getOwn";
import { asProblems, missingInputs, type RequiredInput, withPlaceholders } from "./requiredInputs";

export { SECRET_KEYS } from "./problems";
export { type StackValues } from "./stack";
export { type WorkloadValues } from "./workload";

/**
 * The stack's values: the only place that reads the configuration, once, before any resource is declared.
 *
 * @throws RunError that lists every problem with its path, the value found and the value expected.
 */
export function loadStack(): StackValues {
    const [project, stack] = [getProject(), getStack()];
    const prefix = `${NAMESPACE}:`;
    const config = runtime.allConfig();
    const raw = Object.fromEntries(
        Object.entries(config).flatMap(([key, value]) =>
            key.startsWith(prefix) ? [[key.slice(prefix.length), parsed(value)]] : [],
        ),
    );
    const plain = SECRET_KEYS.filter(
        (key) => isFilled(getOwn(raw, key)) && !isConfigSecret(`${prefix}${key}`),
    ).map((key) => plainSecret([key], stack));
    const known = [
        ...stackFileMisreadings(getRootDirectory(), stack),
        ...foreignKeys(Object.keys(config), project),
        ...plain,
    ];
    const { values, problems } = parseComplete(raw, stack, known, () => true);
    if (values === undefined) {
        throw new RunError(formatProblems(problems));
    }
    return values;
}

/** Declared by the SDK for itself: whether the engine has decrypted any part of a value. */
const { isConfigSecret } = runtime as unknown as { isConfigSecret(key: string): boolean };

/** Whether there is anything in a value. */
function isFilled(value: unknown): boolean {
    return typeof value === "object" && value !== null ? Object.keys(value).length > 0 : value !== undefined;
}

/** A secret that is in the stack file as it is. */
export function plainSecret(path: readonly PropertyKey[], stack: string): Problem {
    const expected = "an encrypted value, and a new one, because this one has been read";
    const command = `pulumi config set --stack ${stack} --secret --path '${configPath(path)}'`;
    return { path: configPath(path), found: "a secret in plain text", expected: `${expected}: ${command}` };
}

/**
 * The values validated, with placeholders for what only an operator can give, or everything that is wrong with them.
 *
 * @param known what is known to be wrong already.
 * @param needed which of an operator's values must be there.
 */
export function parseComplete(
    raw: Record<string, unknown>,
    stack: string,
    known: readonly Problem[],
    needed: (input: RequiredInput) => boolean,
): { values?: StackValues; problems: Problem[] } {
    const { problems: unreadable, endless } = rawProblems(raw);
    // Where there are no values at all, what is known already says why.
    const isEmpty = Object.keys(raw).length === 0 && known.length > 0;
    if (endless || isEmpty) {
        return { problems: [...known, ...unreadable] };
    }
    const missing = missingInputs(raw, stack);
    const { values, problems } = parseStack(canonical(withPlaceholders(raw, missing)) as typeof raw);
    const before = [...known, ...unreadable];
    const reported = new Set(before.map(({ path }) => path));
    const all = [
        ...before,
        ...problems.filter(({ path }) => !reported.has(path)),
        ...asProblems(missing.filter(needed)),
    ];
    return values === undefined || all.length > 0 ? { problems: all } : { values, problems: [] };
}

/** The values validated, or everything that is wrong with them. */
export function parseStack(raw: Record<string, unknown>): { values?: StackValues; problems: Problem[] } {
    const result = stackSchema.safeParse(raw);
    return result.success
        ? { values: result.data, problems: [] }
        : { problems: problemsOf(stackSchema, raw, result.error.issues) };
}

/**
 * Keys that nothing reads. The engine's own begin with `pulumi:`. Providers that the engine makes by default read those of
 * their namespaces; the program makes its own, so that a region that is set there would change nothing. Keys that were
 * renamed with the project are one problem.
 */
export function foreignKeys(keys: readonly string[], project: string): Problem[] {
    const renamed = keys.filter((key) => project !== NAMESPACE && key.startsWith(`${project}:`));
    const others = keys
        .filter((key) => !renamed.includes(key))
        .flatMap((path) => {
            const [namespace, name] = path.split(":");
            if (namespace === NAMESPACE || namespace === "pulumi") {
                return [];
            }
            return name === undefined
                ? { path, found: "a key without its namespace", expected: `${NAMESPACE}:${path}` }
                : {
                      path,
                      found: `a key of ${namespace}`,
                      expected: `one of ${NAMESPACE}: providers are explicit, and told by ${NAMESPACE}:aws and ${NAMESPACE}:kubernetes`,
                  };
        });
    return renamed.length === 0
        ? others
        : [
              {
                  path: `${project}:${renamed.length === 1 ? renamed[0]!.slice(project.length + 1) : "*"}`,
                  found:
                      renamed.length === 1
                          ? "a key named by the project"
                          : `${renamed.length} keys named by the project`,
                  expected: `${NAMESPACE}: before each, whatever the project is called`,
              },
              ...others,
          ];
}

/** The engine hands objects over as JSON and scalars as they are. */
export function parsed(value: string): unknown {
    try {
        return JSON.parse(value);
    } catch {
        return value;
    }
}

/**
 * Values in one form, whatever the file's: the engine hands keys over sorted, and what is named by its content must have
 * one name offline and on the engine. A date that is not in quotes it reads as a time, and hands on in Go's notation.
 */
export function canonical(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(canonical);
    }
    if (typeof value === "string") {
        return value.replace(GO_DATE, "$1");
    }
    return typeof value === "object" && value !== null
        ? Object.fromEntries(
              Object.entries(value)
                  .sort(([one], [other]) => (one < other ? -1 : 1))
                  .map(([key, inner]) => [key, canonical(inner)]),
          )
        : value;
}

const GO_DATE = /^(\d{4}-\d\d-\d\d) 00:00:00 \+0000 UTC$/;
