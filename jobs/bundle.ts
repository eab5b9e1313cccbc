import { resolve } from "node:path";
import { buildSync } from "esbuild";

const bundles = new Map<string, string>();

/**
 * A program of this folder as one file that Node runs without any package, ready for a ConfigMap.
 * The engine and every command of the project run in its root, where `jobs/` is found.
 */
export function bundledJob(name: string): string {
    let bundle = bundles.get(name);
    if (bundle === undefined) {
        const { outputFiles } = buildSync({
            entryPoints: [resolve("jobs", `${name}.ts`)],
            bundle: true,
            platform: "node",
            target: "node20",
            format: "cjs",
            // Readable in the cluster: whoever is on call may want to see what a gate asked.
            minify: false,
            write: false,
            logLevel: "silent",
        });
        bundle = outputFiles[0]!.text;
        bundles.set(name, bundle);
    }
    return bundle;
}
