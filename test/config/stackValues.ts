import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseStack } from "../../config";
import { missingInputs, withPlaceholders } from "../../config/requiredInputs";
import { root } from "../support";

/** Values of a stack by concern. */
export type Values = Record<string, unknown>;

/** A stack file's values as the loader sees them, with an operator's values in place. */
export function valuesOf(stack: string): Values {
    const { config } = parse(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8")) as { config: Values };
    const own = Object.entries(config).flatMap(([key, value]) =>
        key.startsWith("mcp:") ? [[key.slice("mcp:".length), value] as const] : [],
    );
    const raw = Object.fromEntries(own);
    return withPlaceholders(raw, missingInputs(raw, stack));
}

/** A copy of a stack's values, production's by default, with one of them set; undefined removes it. */
export function withValue(path: string, value: unknown, stack = "production"): Values {
    const values = structuredClone(valuesOf(stack));
    const keys = path.split("/");
    let at = values;
    for (const key of keys.slice(0, -1)) {
        at = (at[key] ??= {}) as Values;
    }
    if (value === undefined) {
        delete at[keys.at(-1)!];
    } else {
        at[keys.at(-1)!] = value;
    }
    return values;
}

/** What is wrong with values, a line a problem. */
export const linesOf = (values: Values) =>
    parseStack(values).problems.map(
        ({ path, found, expected }) => `${path}: found ${found}, expected ${expected}`,
    );
