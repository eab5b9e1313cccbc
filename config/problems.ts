import { type z } from "zod";
import { printable } from "../core/printable";

/** Something wrong with a value: where it is, what was found and what is expected there. */
export interface Problem {
    /** As `pulumi config set --path` takes it, such as `mcp:workloads.chat-ui.scaling.min`. */
    path: string;
    /** The value, shortened; never a secret's. */
    found: string;
    expected: string;
}

/** Namespace of the program's keys in a stack file, whatever the project is called. */
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

/** Top-level keys whose values are secret; no others may hold an encrypted value. */
export const SECRET_KEYS = ["secrets", "tls", "endpoints"];

/** Whether a value is secret, or is where people put one by mistake: in a workload's `secrets`. */
export function isSecret([concern, , part]: readonly PropertyKey[]): boolean {
    return SECRET_KEYS.includes(String(concern)) || (concern === "workloads" && part === "secrets");
}

/** What zod found wrong with `raw`. */
export function problemsOf(schema: z.ZodType, raw: unknown, issues: readonly z.core.$ZodIssue[]): Problem[] {
    return issues.flatMap((issue) => {
        // What the schema has taken, before a rule refuses it, is the origin of a secret.
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
                found: hidden && value !== undefined ? "a secret (not shown)" : shown(value),
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

/** Problems that are shown; the others are counted. */
const MOST_SHOWN = 20;

/** One line a problem. */
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

/** A value as a problem shows it: on one line, shortened, and without what is secret in it. */
export function shown(value: unknown): string {
    if (value === undefined) {
        return "nothing";
    }
    const text = printable(
        JSON.stringify(value, (key, inner: unknown) => (SECRET_KEYS.includes(key) ? "(not shown)" : inner)),
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

/** The parts of a zod definition that lead from a schema to the one beneath it. */
interface SchemaDefinition {
    shape?: Record<string, { def: SchemaDefinition }>;
    valueType?: { def: SchemaDefinition };
    element?: { def: SchemaDefinition };
    innerType?: { def: SchemaDefinition };
    in?: { def: SchemaDefinition };
}

/** The definition beneath defaults, options and transforms. */
function unwrapped(definition: SchemaDefinition | undefined): SchemaDefinition | undefined {
    const inner = definition?.innerType ?? definition?.in;
    return inner === undefined ? definition : unwrapped(inner.def);
}
