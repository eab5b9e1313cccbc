import { RunError } from "@pulumi/pulumi/errors";
import { getProject, getStack } from "@pulumi/pulumi/metadata";
import { allConfig } from "@pulumi/pulumi/runtime/config";
import { formatProblems, type Problem, problemsOf } from "./problems";
import { stackSchema, type StackValues } from "./stack";
import { asProblems, missingInputs, withPlaceholders } from "./requiredInputs";

/** Top-level keys whose values are secret; no others may hold an encrypted value. */
export const SECRET_KEYS = ["secrets", "tls"];

export { type StackValues } from "./stack";
export { type WorkloadValues } from "./workload";

/**
 * The stack's values: the only place that reads the configuration, once, before any resource is declared.
 *
 * @throws RunError that lists every problem with its path, the value found and the value expected.
 */
export function loadStack(): StackValues {
    const prefix = `${getProject()}:`;
    const config = allConfig();
    const raw: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(config)) {
        if (key.startsWith(prefix)) {
            raw[key.slice(prefix.length)] = ordered(parsed(value));
        }
    }
    const missing = missingInputs(raw, getStack());
    const { values, problems } = parseStack(withPlaceholders(raw, missing));
    const all = [...foreignKeys(Object.keys(config), getProject()), ...problems, ...asProblems(missing)];
    if (values === undefined || all.length > 0) {
        throw new RunError(formatProblems(all));
    }
    return values;
}

/** The values validated, or everything that is wrong with them. */
export function parseStack(raw: Record<string, unknown>): { values?: StackValues; problems: Problem[] } {
    const result = stackSchema.safeParse(raw);
    return result.success
        ? { values: result.data, problems: [] }
        : { problems: problemsOf(stackSchema, raw, result.error.issues, (key) => SECRET_KEYS.includes(key)) };
}

/**
 * Keys that nothing reads. The engine's own begin with `pulumi:`. Providers that the engine makes by default read those of
 * their namespaces; the program makes its own, so that a region that is set there would change nothing.
 */
export function foreignKeys(keys: readonly string[], project: string): Problem[] {
    return keys.flatMap((path) => {
        const [namespace, name] = path.split(":");
        if (namespace === project || namespace === "pulumi") {
            return [];
        }
        return name === undefined
            ? { path, found: "a key without its namespace", expected: `${project}:${path}` }
            : {
                  path,
                  found: `a key of ${namespace}`,
                  expected: `one of ${project}: providers are explicit, and told by ${project}:aws and ${project}:kubernetes`,
              };
    });
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
 * Keys in one order, whatever the file's: the engine hands them over sorted, and what is named by its content must
 * have one name offline and on the engine.
 */
function ordered(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(ordered);
    }
    return typeof value === "object" && value !== null
        ? Object.fromEntries(
              Object.entries(value)
                  .sort(([one], [other]) => (one < other ? -1 : 1))
                  .map(([key, inner]) => [key, ordered(inner)]),
          )
        : value;
}
