import { stringify } from "yaml";
import { type Change, type Operation } from "./compare";
import { shortType } from "./concern";
import { describeProperty, OPERATIONS, shortDigests } from "./describe";
import { fold } from "../core/fold";
import { cut, type Paint } from "./layout";
import { displayed } from "./property";
import { versionOf } from "./summary";
import { type TreeNode, treeOf } from "./tree";

/** Properties to show for each resource: none, the first, or all. */
export type Details = "none" | "short" | "all";

interface Table {
    readonly width: number;
    readonly paint: Paint;
    readonly details: Details;
    /** Changes that have a row; so do their parents. */
    readonly isShown: (change: Change) => boolean;
}

/** Columns in front of the type: the operation's sign and spaces. */
const SIGN = 5;
/** Minimum width of the type and the tree in front of it; below it, the name is on a separate line. */
const LEAST_TYPE = 16;
/** Maximum number of properties of a resource if not all are shown, and lines of each. */
const FEW_PROPERTIES = 3;
const FEW_LINES = 4;

interface Row {
    readonly operation: Operation;
    /** The type with its tree in front. */
    readonly type: string;
    readonly name: string;
    readonly info: string;
    /** The tree's continuation below the row. */
    readonly below: string;
    readonly details: readonly string[];
}

/** Resources as a tree, in lines of at most `width` columns; empty if none is shown. */
export function resourceTable(changes: readonly Change[], table: Table): string {
    const rows = treeOf(changes).flatMap((node) => rowsOf(node, table, "", ""));
    if (rows.length === 0) {
        return "";
    }
    const longest = (texts: readonly string[]) => Math.max(...texts.map(({ length }) => length));
    const room = table.width - SIGN;
    const typeWidth = Math.min(longest(rows.map(({ type }) => type)), Math.floor(room / 2));
    const infoWidth = longest(rows.map(({ info }) => info));
    const nameWidth = Math.min(
        longest(rows.map(({ name }) => name)),
        Math.max(0, room - typeWidth - 4 - infoWidth),
    );
    const lines = rows.flatMap((row) => linesOf(row, table, typeWidth, nameWidth));
    const heading = `${" ".repeat(SIGN)}${"Type".padEnd(typeWidth)}  ${"Name".padEnd(nameWidth)}`;
    const titled = infoWidth > 0 ? `${heading}  Info` : heading.trimEnd();
    return [titled, ...lines].join("\n");
}

function linesOf(row: Row, { width, paint }: Table, typeWidth: number, nameWidth: number): string[] {
    const { operation, type, name, info, below, details } = row;
    const { sign, style } = OPERATIONS[operation];
    const start = ` ${paint(style, sign.padEnd(2))}  `;
    const under = `${" ".repeat(SIGN)}${below}`;
    const room = Math.min(typeWidth, width - SIGN - 2 - name.length);
    const hasRoom = room >= Math.min(LEAST_TYPE, type.length);
    const column = hasRoom ? cut(type, room).padEnd(room) : cut(type, width - SIGN);
    const inColumn = `${name.padEnd(hasRoom ? nameWidth : 0)}  ${info}`;
    const infos = [inColumn, `${name}  ${info}`];
    const left = hasRoom ? width - SIGN - room - 2 : width - under.length - 2;
    const beside = info === "" ? name : infos.find(({ length }) => length <= left);
    const named = beside ?? name;
    return [
        hasRoom ? `${start}${column}  ${named}` : `${start}${column}`,
        // A name is never cut: a long one starts further left.
        ...(hasRoom ? [] : [`${under}  `.slice(0, Math.max(0, width - named.length)) + named]),
        ...(beside === undefined ? [`${under}  ${info}`] : []),
        ...details.map((line) => `${under}${signed(line, paint)}`),
    ].map((line) => line.trimEnd());
}

/** A property's line in the colour of its change. */
function signed(line: string, paint: Paint): string {
    const style = ({ "+": "green", "-": "red", "~": "yellow" } as const)[line.slice(0, 1)];
    return style === undefined || line[1] !== " " ? line : `${paint(style, line[0]!)}${line.slice(1)}`;
}

/** The rows of a node; none if the node contains nothing to show. */
function rowsOf(node: TreeNode<Change>, table: Table, indent: string, childIndent: string): Row[] {
    if (!hasShown(node, table)) {
        return [];
    }
    const kept = node.children.filter((child) => hasShown(child, table));
    const { operation, resource, properties } = node.item;
    const below = `${childIndent}${kept.length > 0 ? "│  " : "   "}`;
    const details = table.isShown(node.item)
        ? detailsOf(node.item, table.details, table.width - SIGN - below.length)
        : [];
    const roots = [...new Set(properties.map(({ path }) => path.split(/[.[]/)[0]))];
    const info = [
        resource.options.protect ? "protected" : "",
        versionOf(resource) ?? "",
        details.length === 0 && roots.length > 0 ? `[diff: ~${roots.join(",")}]` : "",
    ];
    return [
        {
            operation: table.isShown(node.item) ? operation : "same",
            type: `${indent}${shortType(resource.type)}`,
            name: resource.name,
            info: info.filter(Boolean).join("  "),
            below,
            details,
        },
        ...kept.flatMap((child, index) => {
            const last = index === kept.length - 1;
            return rowsOf(
                child,
                table,
                `${childIndent}${last ? "└─ " : "├─ "}`,
                `${childIndent}${last ? "   " : "│  "}`,
            );
        }),
    ];
}

function hasShown(node: TreeNode<Change>, table: Table): boolean {
    return table.isShown(node.item) || node.children.some((child) => hasShown(child, table));
}

function detailsOf(change: Change, details: Details, width: number): string[] {
    const { properties, because, resource, operation } = change;
    if (details === "none") {
        return [];
    }
    if (details === "all") {
        const { source, inputs } = resource;
        const isNew = operation === "create" || operation === "read";
        const lines =
            isNew && Object.keys(inputs).length > 0
                ? stringify(shortened(displayed(inputs)), { lineWidth: 0 })
                      .trimEnd()
                      .split("\n")
                : properties.flatMap((property) => describeProperty(property, because, width));
        const declared = source === undefined ? [] : [`declared in ${source.file}:${source.line}`];
        return lines.length === 0
            ? []
            : [...declared, ...lines].flatMap((line) => fold(line, width, `${/^ */.exec(line)![0]}    `));
    }
    const more = properties.length - FEW_PROPERTIES;
    return [
        ...properties.slice(0, FEW_PROPERTIES).flatMap((property) => {
            const lines = describeProperty(property, because, width);
            const rest = lines.length > FEW_LINES ? [`    … ${lines.length - FEW_LINES} more lines`] : [];
            return [...lines.slice(0, FEW_LINES), ...rest];
        }),
        ...(more > 0 ? [`… ${more} more properties with --diff`] : []),
    ].map((line) => cut(line, width));
}

/** Maximum length of a new resource's text that is shown whole, in characters: programs and templates are longer. */
const LONGEST_TEXT = 400;

function shortened(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(shortened);
    }
    if (typeof value === "object" && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortened(inner)]));
    }
    return typeof value === "string" && value.length > LONGEST_TEXT
        ? `[${value.length} characters: --format json shows them]`
        : typeof value === "string"
          ? shortDigests(value)
          : value;
}
