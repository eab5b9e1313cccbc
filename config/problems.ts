import { type z } from "zod";
import { masked, NOT_SHOWN } from "../core/credentials";
import { printable } from "../core/printable";

/** A problem of a value: its path, what was found and what is expected. */
export interface Problem {
    /** Path as `pulumi config set --path` takes it, such as `mcp:workloads.chat-ui.scaling.min`. */
    path: string;
    /** The value, shortened, without secrets. */
    found: string;
    expected: string;
}

/** Namespace of the program's keys in a stack file, independent of the project's name. */
export const NAMESPACE = "mcp";

/** Path below the program's namespace, written as `pulumi config set --path` takes it. */
export function configPath(path: readonly PropertyKey[]): string {
    const rest = path.slice(1).map((part) => {
        if (typeof part === "number") {
            return `[${part}]`;
        }
        return /^[A-Za-z0-9_-]+$/.test(String(part)) ? `.${String(part)}` : `["${String(part)}"]`;
    });
    return printable(`${NAMESPACE}:${String(path[0] ?? "")}${rest.join("")}`);
}

/** Top-level keys whose values are secret. Only these may hold encrypted values. */
export const SECRET_KEYS = ["secrets", "tls", "endpoints"];

/** Whether a value is secret, or is in a workload's `secrets`, where people put secrets by mistake. */
export function isSecret([concern, , part]: readonly PropertyKey[]): boolean {
    return SECRET_KEYS.includes(String(concern)) || (concern === "workloads" && part === "secrets");
}

/** Problems that zod found in `raw`. */
export function problemsOf(schema: z.ZodType, raw: unknown, issues: readonly z.core.$ZodIssue[]): Problem[] {
    return issues.flatMap((issue) => {
        // A value that the schema accepted before a rule refused it is the origin of a secret, not the secret.
        const hidden = isSecret(issue.path) && (issue.path[0] !== "workloads" || issue.code !== "custom");
        if (issue.code === "unrecognized_keys") {
            const known = knownKeys(schema, issue.path);
            return issue.keys.map((key) => ({
                path: configPath([...issue.path, key.length > 80 ? `${key.slice(0, 77)}...` : key]),
                found: "an unknown key",
                expected: `one of ${known.join(", ")}`,
            }));
        }
        if (issue.code === "invalid_key") {
            return [
                {
                    path: configPath(issue.path),
                    found: `the key ${shown(issue.path.at(-1))}`,
                    expected: issue.issues[0]?.message ?? issue.message,
                },
            ];
        }
        const value = valueAt(raw, issue.path);
        return [
            {
                path: configPath(issue.path),
                found:
                    hidden && value !== undefined
                        ? "a secret (not shown)"
                        : shown(value, String(issue.path.at(-1))),
                expected: issue.message
                    .replace(/^Invalid input: expected /, "")
                    .replace(/, received .*$/, "")
                    .replace(/^(object|record)$/, "an object")
                    .replace(/^array$/, "a list")
                    .replace(/^(string|number|boolean)$/, "a $1"),
            },
        ];
    });
}

/** Number of problems that are shown; further ones are counted. */
const MOST_SHOWN = 20;

/** One line for each problem. */
export function formatProblems(problems: readonly Problem[]): string {
    const lines = problems
        .slice(0, MOST_SHOWN)
        .map(({ path, found, expected }) => `  ${path}: found ${found}, expected ${expected}`);
    const others = problems.length - lines.length;
    return [
        `${problems.length} ${problems.length === 1 ? "problem" : "problems"} in the stack's values:`,
        ...lines,
        ...(others > 0 ? [`  and ${others} more`] : []),
    ].join("\n");
}

/** A value for a problem, by the last key of its path: on one line, shortened, without secrets. */
export function shown(value: unknown, name = ""): string {
    if (value === undefined) {
        return "nothing";
    }
    const text = printable(
        JSON.stringify(value, (key, inner: unknown) => {
            if (SECRET_KEYS.includes(key)) return NOT_SHOWN;
            return typeof inner === "string" ? masked(key || name, inner) : inner;
        }),
    );
    return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
    return path.reduce<unknown>(
        (at, key) =>
            typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined,
        value,
    );
}

function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
    const at = path.reduce((inner: SchemaDefinition | undefined, key) => {
        const definition = unwrapped(inner);
        return definition?.shape?.[String(key)]?.def ?? (definition?.valueType ?? definition?.element)?.def;
    }, schema.def as SchemaDefinition);
    return Object.keys(unwrapped(at)?.shape ?? {}).sort();
}

/** Properties of a zod definition that lead to the wrapped schema. */
interface SchemaDefinition {
    shape?: Record<string, { def: SchemaDefinition }>;
    valueType?: { def: SchemaDefinition };
    element?: { def: SchemaDefinition };
    innerType?: { def: SchemaDefinition };
    in?: { def: SchemaDefinition };
}

/** The definition inside defaults, optionals and transforms. */
function unwrapped(definition: SchemaDefinition | undefined): SchemaDefinition | undefined {
    const inner = definition?.innerType ?? definition?.in;
    return inner === undefined ? definition : unwrapped(inner.def);
}
