import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, isMap, isScalar, isSeq, parseDocument, type Scalar } from "yaml";
import { configPath, isSecret, type Problem, shown } from "./problems";

/**
 * Unquoted values in the stack file of an update that the engine may read differently. The engine does not pass on what
 * was typed: `1.0` arrives as 1. Reports no problems for a file that is not YAML: the engine does.
 *
 * @param root the project's folder, as the engine names it. Undefined offline: a preview reads the file itself.
 */
export function stackFileMisreadings(root: string, stack: string): Problem[] {
    const file = join(root, `Pulumi.${stack}.yaml`);
    return existsSync(file)
        ? misreadings(parseDocument(readFileSync(file, "utf8"), { merge: true, version: "1.2" }))
        : [];
}

/** Values of a stack file that YAML readers interpret differently, by their paths below `config`. */
export function misreadings(document: Document): Problem[] {
    return misreadingsAt(document.get("config"), []);
}

function misreadingsAt(node: unknown, path: readonly (string | number)[]): Problem[] {
    if (isSeq(node)) {
        return node.items.flatMap((item, index) => misreadingsAt(item, [...path, index]));
    }
    if (isMap(node)) {
        return node.items.flatMap(({ key, value }) => {
            if (isScalar(key) && key.source === "<<") {
                return misreadingsAt(value, path);
            }
            const at = [...path, isScalar(key) ? String(key.source) : "?"];
            return isScalar(key) && typeof key.value === "string" && !isMisread(key, true)
                ? misreadingsAt(value, at)
                : [problemAt(at, `the key ${shown(at.at(-1))}`)];
        });
    }
    return isScalar(node) && isMisread(node, false) ? [problemAt(path, shown(node.source).slice(1, -1))] : [];
}

function problemAt([concern, ...rest]: readonly (string | number)[], found: string): Problem {
    const path = [String(concern).replace(/^mcp:/, ""), ...rest];
    return {
        path: configPath(path),
        found: isSecret(path) ? "a secret (not shown)" : found,
        expected: "the same in quotes: without them, it is read as another value",
    };
}

/** Numbers of any YAML version, with underscores removed: also octal, hexadecimal and infinite ones. */
const NUMBER = /^[-+]?(0x[\da-f]+|0o[0-7]+|0b[01]+|(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?|\.inf|\.nan)$/i;

/** Booleans of YAML 1.1. */
const FORMER_BOOLEAN = /^(y|n|yes|no|on|off)$/i;

const DATE = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d{4}-\d\d?-\d\d?([Tt\s].*)?$/;

/**
 * Whether the engine may read an unquoted scalar differently from what was typed, or from an offline preview. A date as
 * a value is safe, because the engine passes it in a known form; as a key it is not.
 */
function isMisread({ type, tag, source = "", value }: Scalar, key: boolean): boolean {
    if (type !== "PLAIN" || tag !== undefined) {
        return false;
    }
    if (NUMBER.test(source.replaceAll("_", ""))) {
        const exact = typeof value === "number" && String(value) === source;
        return !exact || (Number.isInteger(value) && !Number.isSafeInteger(value));
    }
    return FORMER_BOOLEAN.test(source) || (TIME.test(source) && (key || !DATE.test(source)));
}
