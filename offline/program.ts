import { readFileSync } from "node:fs";
import Module, { SourceMap } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { bundle } from "../build/bundle.cjs";

/** The program of a project, bundled once and ready to run any number of times in this process. */
export interface Program {
    /** Runs the program's `index.ts` from its first line and returns what it exports. */
    run(): unknown;
    /** Where a position of the bundle stands in the program's own files, relative to the project. */
    locate(uri: string, line: number, column: number): { file: string; line: number } | undefined;
}

/** Bundles the program in `root`; the SDK stays outside, so that every run shares the one that is mocked. */
export function bundleProgram(root: string): Program {
    const outfile = bundle(root, "index.ts");
    const code = readFileSync(outfile, "utf8");
    let sourceMap: SourceMap | undefined;
    return {
        run() {
            const module = new Module(outfile) as Module & { _compile(code: string, filename: string): void };
            module.filename = outfile;
            module.paths = [resolve(root, "node_modules")];
            module._compile(code, outfile);
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
