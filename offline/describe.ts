import { masked } from "../core/credentials";
import { PLACEHOLDER_DIGEST } from "../core/placeholderDigest";
import { type Change, type Operation, type PropertyChange } from "./compare";
import { fold } from "../core/fold";
import { type Style } from "./layout";
import { displayed, type Property, UNKNOWN } from "./property";

/** Sign of each operation. */
export const OPERATIONS: Record<Operation, { sign: string; style: Style; phrase: string }> = {
    create: { sign: "+", style: "green", phrase: "to create" },
    read: { sign: ">", style: "cyan", phrase: "to read" },
    update: { sign: "~", style: "yellow", phrase: "to update" },
    "update or replace": { sign: "~?", style: "yellow", phrase: "to update or replace" },
    replace: { sign: "+-", style: "magenta", phrase: "to replace" },
    delete: { sign: "-", style: "red", phrase: "to delete" },
    same: { sign: "", style: "reset", phrase: "unchanged" },
};

/** Changed properties as data, for the preview and a review. */
export function propertiesAsData(properties: readonly PropertyChange[]): object[] {
    return properties.map(({ path, before, after }) => ({
        path,
        before: before === undefined ? undefined : displayed(before, path),
        after: after === undefined ? undefined : displayed(after, path),
    }));
}

/** Maximum length of a text that is shown whole if there is room, in characters. */
const LONGEST_VALUE = 120;

/** The changes of the properties, in lines of `width` columns if the paths leave that much room. */
export function describeProperties({ properties, because }: Change, width = Infinity): string[] {
    return properties.flatMap((property) => describeProperty(property, because, width));
}

/** The change of one property; `because` names the resources that give it a new value. */
export function describeProperty(
    { path, before, after }: PropertyChange,
    because: readonly string[],
    width = Infinity,
): string[] {
    if (before === UNKNOWN && after === UNKNOWN) {
        return fold(`~ ${path}: new value from ${because.join(", ")}`, width, INDENT);
    }
    if (before === undefined) {
        return beside(`+ ${path}:`, (longest) => short(after, path, longest), width);
    }
    if (typeof before === "string" && typeof after === "string" && `${before}${after}`.includes("\n")) {
        const [old, fresh] = [before, after].map((text) => masked(path, text).split("\n")) as [
            string[],
            string[],
        ];
        return [
            `~ ${path}:`,
            ...old.filter((line) => !fresh.includes(line)).map((line) => `${INDENT}- ${line.trim()}`),
            ...fresh.filter((line) => !old.includes(line)).map((line) => `${INDENT}+ ${line.trim()}`),
        ].flatMap((line) => fold(line, width, INDENT + INDENT));
    }
    if (after === undefined) {
        return beside(`- ${path}:`, (longest) => short(before, path, longest), width);
    }
    const [old, fresh] = apart(textOf(before, path), textOf(after, path), LONGEST_VALUE);
    const line = `~ ${path}: ${old} => ${fresh}`;
    if (line.length <= width) {
        return [line];
    }
    // Room for the ellipses at both ends, and for the arrow.
    const longest = Math.min(LONGEST_VALUE, width - INDENT.length - 9);
    const [above, below] = apart(textOf(before, path), textOf(after, path), longest);
    return [`~ ${path}:`, `${INDENT}${above}`, `${INDENT}=> ${below}`];
}

const INDENT = " ".repeat(4);

/** A value after its path, or below it if the line would exceed `width`. */
function beside(start: string, text: (longest: number) => string, width: number): string[] {
    const line = `${start} ${text(LONGEST_VALUE)}`;
    const longest = Math.min(LONGEST_VALUE, width - INDENT.length);
    return line.length <= width ? [line] : [start, `${INDENT}${text(longest)}`];
}

function short(value: Property | undefined, path: string, longest: number): string {
    const text = textOf(value, path);
    return text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
}

function textOf(value: Property | undefined, path: string): string {
    return shortDigests(JSON.stringify(displayed(value ?? null, path)));
}

/** Two long texts, cut so that their first difference is visible. */
function apart(before: string, after: string, longest: number): [string, string] {
    const first = [...before].findIndex((_, index) => before[index] !== after[index]);
    const begin = Math.max(0, (first < 0 ? before.length : first) - Math.floor(longest / 4));
    return [before, after].map((text) => {
        const start = text.length > longest ? begin : 0;
        const end = start + longest;
        return `${start > 0 ? "..." : ""}${text.slice(start, end)}${end < text.length ? "..." : ""}`;
    }) as [string, string];
}

/** Shortens digests to their first characters; a placeholder must not look like a digest. */
export function shortDigests(text: string): string {
    return text
        .replaceAll(`@${PLACEHOLDER_DIGEST}`, "@[not pinned]")
        .replaceAll(/@(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, "@$1");
}
