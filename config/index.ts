import { RunError } from "@pulumi/pulumi/errors";
import { getProject, getRootDirectory, getStack } from "@pulumi/pulumi/metadata";
import * as runtime from "@pulumi/pulumi/runtime/config";
import {
    configPath,
    formatProblems,
    NAMESPACE,
    type Problem,
    problemsOf,
    SECRET_KEYS,
    shown,
} from "./problems";
import { stackFileMisreadings } from "./misreadings";
import { rawProblems } from "./raw";
import { stackSchema, type StackValues } from "./stack";
import { getOwn } from "../core/getOwn";
import { asProblems, missingInputs, type RequiredInput, withPlaceholders } from "./requiredInputs";

export { SECRET_KEYS } from "./problems";
export { type StackValues } from "./stack";
export { type WorkloadValues } from "./workload";

/**
 * The stack's values. Only this module reads the configuration, once, before any resource is declared.
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
        ...stackFileMisreadings(getRootDirectory(), stack, raw),
        ...foreignKeys(Object.keys(config), project),
        ...plain,
    ];
    const { values, problems } = parseComplete(raw, stack, known, () => true);
    if (values === undefined) {
        throw new RunError(formatProblems(problems));
    }
    return values;
}

/** The SDK's internal API: whether the engine decrypted any part of a value. */
const { isConfigSecret } = runtime as unknown as { isConfigSecret(key: string): boolean };

/** Whether a value is not empty. */
function isFilled(value: unknown): boolean {
    return typeof value === "object" && value !== null ? Object.keys(value).length > 0 : value !== undefined;
}

/** A secret that the stack file has in plain text. */
export function plainSecret(path: readonly PropertyKey[], stack: string): Problem {
    const expected = "an encrypted value, and a new one, because this one was readable";
    const command = `pulumi config set --stack ${stack} --secret --path '${configPath(path)}'`;
    return { path: configPath(path), found: "a secret in plain text", expected: `${expected}: ${command}` };
}

/**
 * Validates the values, with placeholders for missing values of the operator, or returns every problem.
 *
 * @param known problems that are already known.
 * @param needed which of the operator's values are required.
 */
export function parseComplete(
    raw: Record<string, unknown>,
    stack: string,
    known: readonly Problem[],
    needed: (input: RequiredInput) => boolean,
): { values?: StackValues; problems: Problem[] } {
    const { problems: unreadable, endless } = rawProblems(raw);
    // Without any values, the known problems already say why.
    const isEmpty = Object.keys(raw).length === 0 && known.length > 0;
    if (endless || isEmpty) {
        return { problems: [...known, ...unreadable] };
    }
    const missing = missingInputs(raw, stack);
    const { values, problems } = parseStack(canonical(withPlaceholders(raw, missing)) as typeof raw);
    const before = [...known, ...unreadable, ...validatedByItself(raw, stack)];
    const reported = new Set(before.map(({ path }) => path));
    const all = [
        ...before,
        ...problems.filter(({ path }) => !reported.has(path)),
        ...asProblems(missing.filter(needed)),
    ];
    return values === undefined || all.length > 0 ? { problems: all } : { values, problems: [] };
}

/** A stack that is to validate its own images, which no release would ever pass. */
function validatedByItself(raw: Record<string, unknown>, stack: string): Problem[] {
    const { validatedBy } = (raw["checklist"] ?? {}) as { validatedBy?: unknown };
    return typeof validatedBy === "string" && validatedBy.split("/").at(-1) === stack
        ? [
              {
                  path: configPath(["checklist", "validatedBy"]),
                  found: shown(validatedBy),
                  expected: "another stack than this one",
              },
          ]
        : [];
}

/** Validates the values, or returns every problem. */
export function parseStack(raw: Record<string, unknown>): { values?: StackValues; problems: Problem[] } {
    const result = stackSchema.safeParse(raw);
    return result.success
        ? { values: result.data, problems: [] }
        : { problems: problemsOf(stackSchema, raw, result.error.issues) };
}

/**
 * Keys that the program does not read. The engine's begin with `pulumi:`. Keys of a provider's namespace configure
 * default providers only; the program declares its own, so such a key would have no effect. Keys under a renamed
 * project's namespace are one problem.
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
                      expected: `one of ${NAMESPACE}: ${NAMESPACE}:aws and ${NAMESPACE}:kubernetes configure the providers`,
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
                  expected: `${NAMESPACE}: before each, independent of the project's name`,
              },
              ...others,
          ];
}

/** The engine passes objects as JSON and scalars as texts. */
export function parsed(value: string): unknown {
    try {
        return JSON.parse(value);
    } catch {
        return value;
    }
}

/**
 * Normalizes values: the engine sorts keys, and hashes of values must be equal offline and on the engine. The engine
 * parses an unquoted date as a time and passes it in Go's notation.
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
