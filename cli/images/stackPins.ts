import { isDeepStrictEqual } from "node:util";
import {
    Document,
    isCollection,
    isMap,
    isNode,
    isPair,
    isScalar,
    type Node,
    Pair,
    parseDocument,
    Scalar,
    YAMLMap,
} from "yaml";

type Pins = ReadonlyMap<string, string>;

const PATH = ["config", "mcp:images", "pins"];
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const INDENT = "  ";

/** How Pulumi's command line writes a stack file: what it did not write itself changes with its next edit. */
export const FORMAT = { indent: INDENT.length, lineWidth: 0, flowCollectionPadding: false } as const;

/**
 * Digest of each reference that a stack file pins. A value that is no digest pins nothing.
 *
 * @throws Error naming `file` when the text is not YAML.
 */
export function readPins(text: string, file: string): Pins {
    const pins = parse(text, file).getIn(PATH);
    const entries = isMap(pins) ? Object.entries(pins.toJSON() as Record<string, unknown>) : [];
    return new Map(entries.filter((entry): entry is [string, string] => DIGEST.test(String(entry[1]))));
}

/**
 * Text of a stack file with pins added or changed and the map of pins sorted; the map is created where there is
 * none. Every character outside of it stays, which is why the text is spliced and not printed again.
 *
 * @throws Error naming `file` when the text is not YAML or cannot be spliced.
 */
export function writePins(text: string, pins: Pins, file: string): string {
    const before = parse(text, file);
    const edited = splice(text, before.contents, PATH, pins) ?? "";
    const after = parseDocument(edited);
    const expected = expectedValue(before.toJS(), PATH, pins);
    if (after.errors.length > 0 || !isDeepStrictEqual(after.toJS(), expected)) {
        throw new Error(`${file} cannot be edited; write ${PATH.join(".")} as block maps, without aliases`);
    }
    return edited;
}

/** @throws Error naming `file` when the text is not YAML. */
export function parse(text: string, file: string): Document.Parsed {
    const document = parseDocument(text, { prettyErrors: false });
    const [error] = document.errors;
    if (error) {
        const line = text.slice(0, error.pos[0]).split("\n").length;
        // Behind a colon the message quotes the file.
        throw new Error(`${file}:${line} is not YAML: ${error.message.split(":")[0]}`);
    }
    return document;
}

/** What the spliced text must mean: a check against the ways to write YAML that nobody thought of. */
function expectedValue(value: unknown, [key, ...rest]: string[], pins: Pins): unknown {
    const object: Record<string, unknown> = { ...(value as object | null) };
    return key === undefined
        ? { ...object, ...Object.fromEntries(pins) }
        : { ...object, [key]: expectedValue(object[key], rest, pins) };
}

/** The text with the pins at `path` below `parent`; undefined where that is no place for a block map. */
function splice(text: string, parent: Node | null, path: string[], pins: Pins): string | undefined {
    if (isNothing(parent)) {
        return insertBelow(text, text.trimEnd().length, block(grown(null, path, pins), "", text));
    }
    if (!isBlockMap(parent)) {
        return undefined;
    }
    const [key, ...rest] = path;
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key);
    if (pair === undefined) {
        const missing = grown(null, path, pins);
        return insertBelow(text, endOfMap(text, parent), block(missing, indentOf(text, parent), text));
    }
    const value = pair.value as Node | null;
    if (isBlockMap(value) && rest.length > 0) {
        return splice(text, value, rest, pins);
    }
    if (!isMap(value) && !isNothing(value)) {
        return undefined;
    }
    const [start, end] = value!.range!;
    if (isBlockMap(value)) {
        const pinned = block(grown(value, rest, pins), indentOf(text, value), text);
        // At the end of the file there may be no line break, and then there is none to add.
        const lines = text[end - 1] === "\n" ? pinned : pinned.trimEnd();
        return text.slice(0, start) + lines.trimStart() + text.slice(end);
    }
    // `{}`, another flow map, or nothing at all: the block goes below the line of the key, and its comment stays.
    const pinned = block(grown(value, rest, pins), indentOf(text, parent) + INDENT, text);
    const head = start === end ? text.slice(0, start) : text.slice(0, start).trimEnd();
    return insertBelow(head + text.slice(end), head.length, pinned);
}

/** A block map of what `node` holds, with the pins at `path` below it. */
function grown(node: Node | null, [key, ...rest]: string[], pins: Pins): YAMLMap {
    const map = new YAMLMap();
    map.items = isMap(node) ? [...node.items] : [];
    if (key !== undefined) {
        map.set(key, grown((map.get(key, true) ?? null) as Node | null, rest, pins));
        return map;
    }
    for (const [reference, digest] of pins) {
        if (map.has(reference)) {
            // Sets the value alone, and keeps its comment.
            map.set(reference, digest);
        } else {
            map.add(new Pair(quoted(reference), new Scalar(digest)));
        }
    }
    map.items.sort((one, other) => (String(one.key) < String(other.key) ? -1 : 1));
    return map;
}

function quoted(text: string): Scalar {
    const scalar = new Scalar(text);
    scalar.type = Scalar.QUOTE_DOUBLE;
    return scalar;
}

/** Source of a block map, in whole lines that end as those of the text. */
export function block(map: YAMLMap, indent: string, text: string): string {
    const source = new Document(map).toString(FORMAT);
    const end = text.includes("\r\n") ? "\r\n" : "\n";
    return source.replace(/^(?=.)/gm, indent).replaceAll("\n", end);
}

/** Puts whole lines below the line that has the offset. */
export function insertBelow(text: string, offset: number, lines: string): string {
    const end = text.indexOf("\n", offset);
    const head = end < 0 ? text && `${text}\n` : text.slice(0, end + 1);
    return head + lines + text.slice(head.length);
}

/** Where the last line of a block map ends. A comment further in than its keys is part of its last value. */
export function endOfMap(text: string, map: YAMLMap): number {
    const end = endOf(map);
    const lines = new RegExp(String.raw`.*(?:\s*\n${indentOf(text, map)} +#.*)*`, "y");
    lines.lastIndex = text[end - 1] === "\n" ? end - 1 : end;
    lines.test(text);
    return lines.lastIndex;
}

/** Where the last value of a node ends. The ranges of block collections go on, past comments of outer ones. */
function endOf(node: Node): number {
    const last: unknown = isCollection(node) && !node.flow ? node.items.at(-1) : undefined;
    const inner = isPair(last) ? (last.value ?? last.key) : last;
    return isNode(inner) ? endOf(inner) : node.range![1];
}

/** What is before the first key of a block map: it begins its line. */
export function indentOf(text: string, { range }: YAMLMap): string {
    return text.slice(text.lastIndexOf("\n", range![0]) + 1, range![0]);
}

/** Whether a node is a map of lines, one a key. */
export function isBlockMap(node: unknown): node is YAMLMap {
    return isMap(node) && !node.flow && node.items.length > 0;
}

function isNothing(node: Node | null): boolean {
    return node === null || (isScalar(node) && node.value === null);
}
