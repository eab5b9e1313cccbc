import { fold, foldCommand, joined, unbroken } from "../../core/fold";
import { type Paint, painter, type Screen } from "../../offline/layout";
import { type Lead, type Part, piecesOf, sectionsOf } from "../../runbook/page";
import { type Procedure } from "../../runbook/procedure";

/** What a procedure's page is shown for. */
export interface Shown extends Screen {
    /** Address at which docs/ is shown, with / at its end. Default: links are paths of files. */
    readonly pages?: string | undefined;
}

const INDENT = "  ";

/** A procedure's page for a terminal. What is wider than the terminal is broken: a command where a shell reads it as one. */
export function renderShown(procedure: Procedure, alarms: readonly Lead[], shown: Shown): string {
    const paint = painter(shown);
    const { id, title, sections, when } = procedure;
    const blocks = [
        [...fold(title, shown.width), ...fold(`Section ${sections.join(", ")} (${id})`, shown.width)].map(
            (line, index) => (index === 0 ? paint("bold", line) : line),
        ),
        paragraph(when, "", shown),
        ...sectionsOf(procedure, alarms).map(({ label, parts }) => [
            paint("bold", label.replaceAll("`", "")),
            ...parts.flatMap((part) => renderPart(part, shown, paint)),
        ]),
    ];
    return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function renderPart(part: Part, shown: Shown, paint: Paint): string[] {
    if ("text" in part) return paragraph(part.text, INDENT, shown);
    if ("commands" in part) return part.commands.flatMap((command) => commandLines(command, shown, paint));
    if ("items" in part) {
        return part.items.flatMap((item) => prose(`${INDENT}${item}`, `${INDENT}    `, shown));
    }
    // Options explain themselves; the columns of a longer table do not.
    const titles = part.columns.length > 2 ? [part.columns] : [];
    const cells = [...titles, ...part.rows].map((row) => row.map((cell) => cell.replaceAll("`", "")));
    const widths = part.columns.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
    const last = widths.length - 1;
    return cells.flatMap((row, index) => {
        const start = row.slice(0, last).map((cell, column) => cell.padEnd(widths[column]!));
        const indent = `${INDENT}${start.join("  ")}  `;
        const lines = fold(`${indent}${row[last]!}`, shown.width, " ".repeat(indent.length));
        return index < titles.length ? lines.map((line) => paint("dim", line)) : lines;
    });
}

function commandLines(command: string, { width }: Shown, paint: Paint): string[] {
    return foldCommand(command, width - 2 * INDENT.length).map(
        (line) => `${INDENT}${INDENT}${paint("cyan", line)}`,
    );
}

/** A text, in which commands that are to be copied are on lines of their own. */
function paragraph(text: string, indent: string, shown: Shown): string[] {
    const paint = painter(shown);
    return piecesOf(text, LONGEST).flatMap((piece) =>
        "text" in piece
            ? prose(`${indent}${piece.text}`, indent, shown)
            : commandLines(piece.command, shown, paint),
    );
}

/** Longest command within a line, in columns. */
const LONGEST = 40;

/** A text in lines, its code coloured, and links as addresses or as paths of files. */
function prose(text: string, indent: string, shown: Shown): string[] {
    const paint = painter(shown);
    const addressOf = (target: string) =>
        /^https?:/.test(target)
            ? target
            : `${shown.pages ?? "docs/"}${target.startsWith("#") ? "runbook.md" : ""}${target}`;
    const plain = text
        .replaceAll(/\[([^\]]+)\]\(([^)]+)\)/g, (_, words: string, target: string) =>
            target.endsWith(`#${words}`) ? addressOf(target) : `${words} (${addressOf(target)})`,
        )
        .replaceAll(/`[^`]+`/g, (code) =>
            code.length <= shown.width - indent.length ? unbroken(code) : code,
        );
    return joined(fold(plain, shown.width, indent))
        .split("\n")
        .map((line) =>
            shown.colour ? line.replaceAll(/`([^`]+)`/g, (_, code: string) => paint("cyan", code)) : line,
        );
}
