import { readFileSync, statSync } from "node:fs";
import { LineCounter, parseDocument } from "yaml";
import { misreadings, READER_OPTIONS } from "../config/misreadings";
import { type Problem } from "../config/problems";
import { UsageError } from "./usageError";

/** A file of values has some hundred lines. */
const MOST_BYTES = 1024 * 1024;

/** Content of a YAML file. */
export interface YamlFile {
    value: unknown;
    /** Values below `config` that the engine may read differently. */
    problems: Problem[];
}

/**
 * Reads a YAML file as the engine does: aliases and merge keys resolved.
 *
 * @throws UsageError for a file that is not text or not YAML. It contains no text of the file, which may be a secret.
 */
export function readYaml(path: string, name: string): YamlFile {
    const text = readText(path, name);
    const known = read.get(path);
    if (known?.text === text) {
        return structuredClone(known.file);
    }
    const file = parsed(text, name);
    read.set(path, { text, file });
    return structuredClone(file);
}

/** What was read last from each path: a command reads the same file more than once. */
const read = new Map<string, { text: string; file: YamlFile }>();

function parsed(text: string, name: string): YamlFile {
    const lines = new LineCounter();
    const options = { ...READER_OPTIONS, lineCounter: lines, prettyErrors: false };
    const document = bounded(name, () => parseDocument(text, options));
    // Later errors are often consequences of the first.
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined && /call stack/.test(error.message)) {
        throw unreadable(name);
    }
    if (error !== undefined) {
        const { line, col } = lines.linePos(error.pos[0]);
        // After a colon, the message quotes the file.
        const [reason] = error.message.split(":");
        throw new UsageError(`${name}:${line}:${col} is not YAML: ${reason}`);
    }
    return bounded(name, () => ({
        value: document.toJS() as unknown,
        problems: misreadings(document),
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
        // Reported below.
    }
    throw refuse("bytes that are no UTF-8");
}

/** Limits against huge documents: nesting, and the expansion of aliases. */
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
