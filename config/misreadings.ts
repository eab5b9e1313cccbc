import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, isMap, isScalar, isSeq, parseDocument, type Scalar } from "yaml";
import { configPath, isSecret, type Problem, shown } from "./problems";

/**
 * Unquoted values in the stack file of an update that the engine may read as other values. The engine does not pass on
 * what was typed: `1.0` arrives as 1. A file that is not YAML has no problems here: the engine reports it.
 *
 * @param root the project's folder, as the engine names it. Offline there is none: a preview reads the file by itself.
 */
export function stackFileMisreadings(root: string, stack: string): Problem[] {
    const file = join(root, `Pulumi.${stack}.yaml`);
    return existsSync(file)
        ? misreadings(parseDocument(readFileSync(file, "utf8"), { merge: true, version: "1.2" }))
        : [];
}

/** Values of a stack file on which YAML readers do not agree, by their paths below `config`. */
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

/** What some reader of YAML takes for a number, once underscores are gone: octal, hexadecimal, infinite ones too. */
const NUMBER = /^[-+]?(0x[\da-f]+|0o[0-7]+|0b[01]+|(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?|\.inf|\.nan)$/i;

/** What was a truth value before YAML 1.2. */
const FORMER_BOOLEAN = /^(y|n|yes|no|on|off)$/i;

const DATE = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d{4}-\d\d?-\d\d?([Tt\s].*)?$/;

/**
 * Whether the engine may read an unquoted scalar as another value than was typed, or than an offline preview reads.
 * It hands on a date in a form that is known to be one, unless it is a key.
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
