import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire, SourceMap } from "node:module";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { compileFunction } from "node:vm";
import { bundle } from "../build/bundle.cjs";

/** A project's program, bundled once, which can run repeatedly in this process. */
export interface Program {
    /** Path of the bundle. */
    readonly file: string;
    /** Changes with every input of a run except the values: the program, its jobs, the recorder, the packages. */
    readonly fingerprint: string;
    /** Runs the program's `index.ts` from the start, and returns its exports. */
    run(): unknown;
    /** Maps a position of the bundle to the program's source file, relative to the project. */
    locate(uri: string, line: number, column: number): { file: string; line: number } | undefined;
}

/** What Node hands to a module. */
const NAMES = ["exports", "require", "module", "__filename", "__dirname"];

/** Bundles the program in `root`; the SDK stays outside, so that every run shares the one that is mocked. */
export function bundleProgram(root: string): Program {
    const outfile = bundle(root, "index.ts");
    const code = readFileSync(outfile, "utf8");
    let fingerprint: string | undefined;
    let sourceMap: SourceMap | undefined;
    let compiled: ReturnType<typeof compileFunction> | undefined;
    return {
        file: outfile,
        get fingerprint() {
            return (fingerprint ??= fingerprintOf(root, code));
        },
        run() {
            // As Node runs a module, but compiled once for all runs.
            compiled ??= compileFunction(code, NAMES, { filename: outfile });
            const module = { exports: {} };
            compiled(module.exports, createRequire(outfile), module, outfile, dirname(outfile));
            return module.exports;
        },
        locate(uri, line, column) {
            if (uri !== pathToFileURL(outfile).href) {
                return undefined;
            }
            sourceMap ??= new SourceMap(JSON.parse(readFileSync(`${outfile}.map`, "utf8")));
            const entry = sourceMap.findEntry(line - 1, column - 1);
            if (!("originalSource" in entry)) {
                return undefined;
            }
            // Sources are relative to the bundle, one folder below the project.
            return { file: entry.originalSource.replace(/^\.\.\//, ""), line: entry.originalLine + 1 };
        },
    };
}

/** Files that the program reads at run time, and those that record it. */
const READ = ["jobs", "offline/record.ts", "offline/property.ts", "package.json", "package-lock.json"];

function fingerprintOf(root: string, code: string): string {
    const hash = createHash("sha256").update(code);
    const add = (path: string) => {
        if (statSync(path).isDirectory()) {
            readdirSync(path)
                .sort()
                .forEach((entry) => add(join(path, entry)));
        } else {
            hash.update(`\0${relative(root, path)}\0`).update(readFileSync(path));
        }
    };
    READ.map((path) => join(root, path))
        .filter((path) => existsSync(path))
        .forEach(add);
    return hash.digest("hex");
}
