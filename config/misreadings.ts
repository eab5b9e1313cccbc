import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, isMap, isNode, isScalar, isSeq, parseDocument, type Scalar } from "yaml";
import { configPath, isSecret, NAMESPACE, type Problem, shown } from "./problems";

/**
 * Unquoted values in the stack file of an update that the engine may read differently. The engine does not pass on what
 * was typed: `1.0` arrives as 1. Reports no problems for a file that is not YAML: the engine does. Nor for a file that the
 * engine did not read, as with `--config-file`: the engine does not say which file it reads.
 *
 * @param root the project's folder, as the engine names it. Undefined offline: a preview reads the file itself.
 * @param values what the engine passes on, by concern.
 */
export function stackFileMisreadings(
    root: string,
    stack: string,
    values: Readonly<Record<string, unknown>>,
): Problem[] {
    const file = join(root, `Pulumi.${stack}.yaml`);
    if (!existsSync(file)) {
        return [];
    }
    const document = parseDocument(readFileSync(file, "utf8"), READER_OPTIONS);
    let config: unknown;
    try {
        config = (document.toJS() as { config?: unknown } | null)?.config;
    } catch {
        return [];
    }
    const own = Object.fromEntries(
        Object.entries(config ?? {}).flatMap(([key, value]) =>
            key.startsWith(`${NAMESPACE}:`) ? [[key.slice(NAMESPACE.length + 1), value as unknown]] : [],
        ),
    );
    return isSource(own, values) ? misreadings(document) : [];
}

/** How a stack file is read: as the engine does, with merge keys, and without warnings on standard error. */
export const READER_OPTIONS = { logLevel: "error", merge: true, version: "1.2" } as const;

/** Whether a value of a file may be what the engine has read: it has the same keys and, but for misreadings, scalars. */
function isSource(read: unknown, passedOn: unknown): boolean {
    if (typeof read !== "object" || read === null) {
        return String(read) === String(passedOn) || [read, passedOn].every(isMisreadable);
    }
    if ("secure" in read) {
        return true;
    }
    if (typeof passedOn !== "object" || passedOn === null) {
        return false;
    }
    const values = new Map<string, unknown>(Object.entries(passedOn));
    return (
        Object.keys(read).length === values.size &&
        Object.entries(read).every(([key, value]) => values.has(key) && isSource(value, values.get(key)))
    );
}

/** Whether a scalar may be what some reader makes of a number or a time. */
function isMisreadable(value: unknown): boolean {
    const text = String(value);
    return NUMBER.test(text.replaceAll("_", "")) || TIME.test(text);
}

/** Values of a stack file that YAML readers interpret differently, by their paths below `config`. */
export function misreadings(document: Document): Problem[] {
    return misreadingsAt(document.get("config"), []);
}

/** Tags of YAML that change nothing: the value is the text, list or object that is written there. */
const HARMLESS_TAG = /^(!|tag:yaml\.org,2002:(str|seq|map))$/;

function misreadingsAt(node: unknown, path: readonly (string | number)[]): Problem[] {
    if (isNode(node) && "tag" in node && node.tag !== undefined && !HARMLESS_TAG.test(node.tag)) {
        return [problemAt(path, `the tag ${shown(node.tag)}`, "no tag: a text in quotes, or a number")];
    }
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
    return isScalar(node) && isMisread(node, false)
        ? [problemAt(path, shown(node.source).slice(1, -1), inPlace(node.source))]
        : [];
}

/** What may be in place of a scalar that readers of YAML take for different values. */
function inPlace(source = ""): string {
    const typed = source.replaceAll("_", "");
    // Readers differ about a leading zero, and round many digits.
    const number = /^[-+]?0\d/.test(typed) ? NaN : Number(typed);
    return NUMBER.test(typed) && Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER
        ? `the same in quotes for a text, or ${number} for a number: as it is, it is read as another value`
        : IN_QUOTES;
}

const IN_QUOTES = "the same in quotes: without them, it is read as another value";

function problemAt(
    [concern, ...rest]: readonly (string | number)[],
    found: string,
    expected = IN_QUOTES,
): Problem {
    const path = [String(concern).replace(/^mcp:/, ""), ...rest];
    return {
        path: configPath(path),
        found: isSecret(path) ? "a secret (not shown)" : found,
        expected,
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
