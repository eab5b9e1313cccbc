import { readFileSync, statSync } from "node:fs";
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Scalar } from "yaml";
import { configPath, isSecret, type Problem, shown } from "../config/problems";
import { UsageError } from "./usageError";

/** A file of values has some hundred lines. */
const MOST_BYTES = 1024 * 1024;

/** What a YAML file says. */
export interface YamlFile {
    value: unknown;
    /** Values below `config` that the engine would read as others. */
    problems: Problem[];
}

/**
 * Reads a YAML file as the engine does: aliases and merge keys resolved.
 *
 * @throws UsageError without any text of the file, which may be a secret, for what is no file of text or no YAML.
 */
export function readYaml(path: string, name: string): YamlFile {
    const text = readText(path, name);
    const lines = new LineCounter();
    const options = { lineCounter: lines, prettyErrors: false, merge: true, version: "1.2" } as const;
    const document = bounded(name, () => parseDocument(text, options));
    // Those behind the first one are often its consequences.
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined && /call stack/.test(error.message)) {
        throw unreadable(name);
    }
    if (error !== undefined) {
        const { line, col } = lines.linePos(error.pos[0]);
        // Behind a colon the message quotes the file.
        const [reason] = error.message.split(":");
        throw new UsageError(`${name}:${line}:${col} is not YAML: ${reason}`);
    }
    return bounded(name, () => ({
        value: document.toJS() as unknown,
        problems: misreadings(document.get("config"), []),
    }));
}

function readText(path: string, name: string): string {
    const refuse = (found: string) =>
        new UsageError(`${name}: found ${found}, expected a text file of at most ${MOST_BYTES} bytes`);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) {
        throw refuse("nothing");
    }
    if (!stats.isFile()) {
        throw refuse(stats.isDirectory() ? "a folder" : "a device");
    }
    if (stats.size > MOST_BYTES) {
        throw refuse(`${stats.size} bytes`);
    }
    const bytes = readFileSync(path);
    try {
        const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
        if (!text.includes("\0")) {
            return text;
        }
    } catch {
        // Said below.
    }
    throw refuse("bytes that are no UTF-8");
}

/** What a reader of YAML refuses for its size: nesting, and what aliases multiply. */
function bounded<T>(name: string, read: () => T): T {
    try {
        return read();
    } catch {
        // The message may quote the file.
        throw unreadable(name);
    }
}

function unreadable(name: string): UsageError {
    const expected = "each alias behind its anchor, at most 100 of them, and no deep nesting";
    return new UsageError(`${name} is not YAML that can be read: expected ${expected}`);
}

/** Values of a document that its readers do not agree on, by their paths below `config`. */
function misreadings(node: unknown, path: readonly (string | number)[]): Problem[] {
    if (isSeq(node)) {
        return node.items.flatMap((item, index) => misreadings(item, [...path, index]));
    }
    if (isMap(node)) {
        return node.items.flatMap(({ key, value }) => {
            if (isScalar(key) && key.source === "<<") {
                return misreadings(value, path);
            }
            const at = [...path, isScalar(key) ? String(key.source) : "?"];
            return isScalar(key) && typeof key.value === "string" && !isMisread(key, true)
                ? misreadings(value, at)
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
