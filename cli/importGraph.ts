import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** Source folders besides `index.ts`. Tests may import all of them. */
export const SOURCE_FOLDERS = [
    "cli",
    "components",
    "config",
    "core",
    "jobs",
    "offline",
    "policies",
    "runbook",
    "stack",
];

/** An import of one source file by another. Paths are relative to the project. */
export interface Import {
    from: string;
    to: string;
    /** Whether it is a type-only import, which is removed at run time. */
    typesOnly: boolean;
}

const IMPORT = /\b(?:(?:import|export)\b([^;"]*?)\bfrom\s*|import\s*\(\s*)"(\.[^"]*)"/g;

/**
 * Every import between the project's source files, including types.
 *
 * @throws Error for an import of a missing file.
 */
export function importsOf(root: string): Import[] {
    const files = SOURCE_FOLDERS.flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
            .filter((file) => /\.ts$/.test(file))
            .map((file) => join(folder, file)),
    );
    return [...files, "index.ts"].sort().flatMap((from) =>
        [...readFileSync(join(root, from), "utf8").matchAll(IMPORT)].map(([, names = "", path]) => ({
            from,
            to: resolveImport(root, from, path!),
            typesOnly: isOfTypes(names),
        })),
    );
}

function resolveImport(root: string, from: string, path: string): string {
    const target = normalize(join(dirname(from), path));
    const found = [target, `${target}.ts`, join(target, "index.ts")].find((file) =>
        statSync(join(root, file), { throwIfNoEntry: false })?.isFile(),
    );
    if (found === undefined) {
        throw new Error(`${from}: found an import of ${path}, expected a file there`);
    }
    return found;
}

/** `{ type A, type B }`, and `type { A }`. */
function isOfTypes(names: string): boolean {
    const list = /^\s*\{([^}]*)\}\s*$/.exec(names)?.[1]?.split(",") ?? [];
    const named = list.map((name) => name.trim()).filter((name) => name !== "");
    return /^\s*type\s/.test(names) || (named.length > 0 && named.every((name) => name.startsWith("type ")));
}

/** Folder of a file: `components` for `components/edge/alb.ts`; `index.ts` itself. */
export function folderOf(file: string): string {
    return file.split("/")[0]!;
}

/** Imports between folders, as a picture (Mermaid). Arrows that follow from others are omitted. */
export function foldersDiagram(imports: readonly Import[]): string {
    const arrows = new Map<string, Set<string>>();
    for (const [from, to] of imports.map(({ from, to }) => [folderOf(from), folderOf(to)] as const)) {
        if (from !== to) {
            arrows.set(from, (arrows.get(from) ?? new Set()).add(to));
        }
    }
    const reaches = (from: string, to: string): boolean =>
        [...(arrows.get(from) ?? [])].some((next) => next === to || reaches(next, to));
    const lines = [...arrows].flatMap(([from, targets]) =>
        [...targets]
            .filter((to) => ![...targets].some((other) => other !== to && reaches(other, to)))
            .map((to) => `  ${idOf(from)} --> ${idOf(to)}`),
    );
    return ["flowchart TD", ...lines.sort(), ""].join("\n");
}

/** `index.ts` as an id of Mermaid. */
function idOf(folder: string): string {
    return folder.includes(".") ? `${folder.replace(/\W/g, "_")}["${folder}"]` : folder;
}
