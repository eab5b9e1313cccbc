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

/** Format of the Pulumi CLI, so that its next edit changes nothing else. */
export const FORMAT = { indent: INDENT.length, lineWidth: 0, flowCollectionPadding: false } as const;

/**
 * Digest of each reference that a stack file pins. Ignores invalid digests.
 *
 * @throws Error naming `file` if the text is not YAML.
 */
export function readPins(text: string, file: string): Pins {
    const pins = parse(text, file).getIn(PATH);
    const entries = isMap(pins) ? Object.entries(pins.toJSON() as Record<string, unknown>) : [];
    return new Map(entries.filter((entry): entry is [string, string] => DIGEST.test(String(entry[1]))));
}

/**
 * Text of a stack file with pins added or changed, and the map of pins sorted; creates the map if missing. The
 * text is spliced, not reprinted, so that all other characters stay.
 *
 * @throws Error naming `file` if the text is not YAML or cannot be spliced.
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

/** @throws Error naming `file` if the text is not YAML. */
export function parse(text: string, file: string): Document.Parsed {
    const document = parseDocument(text, { prettyErrors: false });
    const [error] = document.errors;
    if (error) {
        const line = text.slice(0, error.pos[0]).split("\n").length;
        // After a colon, the message quotes the file.
        throw new Error(`${file}:${line} is not YAML: ${error.message.split(":")[0]}`);
    }
    return document;
}

/** Checks the spliced text against the intended values, for unexpected forms of YAML. */
function expectedValue(value: unknown, [key, ...rest]: string[], pins: Pins): unknown {
    const object: Record<string, unknown> = { ...(value as object | null) };
    return key === undefined
        ? { ...object, ...Object.fromEntries(pins) }
        : { ...object, [key]: expectedValue(object[key], rest, pins) };
}

/** The text with the pins at `path` below `parent`; undefined if a block map cannot be there. */
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
        // Without a line break at the end of the file, none is added.
        const lines = text[end - 1] === "\n" ? pinned : pinned.trimEnd();
        return text.slice(0, start) + lines.trimStart() + text.slice(end);
    }
    // `{}`, another flow map, or an empty value: the block goes below the line of the key, whose comment stays.
    const pinned = block(grown(value, rest, pins), indentOf(text, parent) + INDENT, text);
    const head = start === end ? text.slice(0, start) : text.slice(0, start).trimEnd();
    return insertBelow(head + text.slice(end), head.length, pinned);
}

/** A block map of the node's values, with the pins at `path` below it. */
function grown(node: Node | null, [key, ...rest]: string[], pins: Pins): YAMLMap {
    const map = new YAMLMap();
    map.items = isMap(node) ? [...node.items] : [];
    if (key !== undefined) {
        map.set(key, grown((map.get(key, true) ?? null) as Node | null, rest, pins));
        return map;
    }
    for (const [reference, digest] of pins) {
        if (map.has(reference)) {
            // Sets only the value, and keeps its comment.
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

/** Source of a block map, with the line endings of the text. */
export function block(map: YAMLMap, indent: string, text: string): string {
    const source = new Document(map).toString(FORMAT);
    const end = text.includes("\r\n") ? "\r\n" : "\n";
    return source.replace(/^(?=.)/gm, indent).replaceAll("\n", end);
}

/** Inserts whole lines below the line of the offset. */
export function insertBelow(text: string, offset: number, lines: string): string {
    const end = text.indexOf("\n", offset);
    const head = end < 0 ? text && `${text}\n` : text.slice(0, end + 1);
    return head + lines + text.slice(head.length);
}

/** End of the last line of a block map. A comment indented deeper than its keys belongs to its last value. */
export function endOfMap(text: string, map: YAMLMap): number {
    const end = endOf(map);
    const lines = new RegExp(String.raw`.*(?:\s*\n${indentOf(text, map)} +#.*)*`, "y");
    lines.lastIndex = text[end - 1] === "\n" ? end - 1 : end;
    lines.test(text);
    return lines.lastIndex;
}

/** End of a node's last value. Ranges of block collections include comments of outer ones. */
function endOf(node: Node): number {
    const last: unknown = isCollection(node) && !node.flow ? node.items.at(-1) : undefined;
    const inner = isPair(last) ? (last.value ?? last.key) : last;
    return isNode(inner) ? endOf(inner) : node.range![1];
}

/** Indentation of the first key of a block map. */
export function indentOf(text: string, { range }: YAMLMap): string {
    return text.slice(text.lastIndexOf("\n", range![0]) + 1, range![0]);
}

/** Whether a node is a block map. */
export function isBlockMap(node: unknown): node is YAMLMap {
    return isMap(node) && !node.flow && node.items.length > 0;
}

function isNothing(node: Node | null): boolean {
    return node === null || (isScalar(node) && node.value === null);
}
