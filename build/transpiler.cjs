// Makes ts-node transpile with esbuild (see tsconfig.json): TypeScript's own transpilation takes longer than running
// the program. npm run check checks types.
const { transformSync } = require("esbuild");

exports.create = () => {
    sparePromises();
    return {
        transpile(input, { fileName }) {
            const { code, map } = transformSync(input, {
                loader: "ts",
                format: "cjs",
                target: "node20",
                // Dynamic imports become require, as in the bundles.
                supported: { "dynamic-import": false },
                sourcemap: "external",
                sourcefile: fileName,
            });
            return { outputText: code, sourceMapText: map };
        },
    };
};

/** Result of {@link sparePromises}: ts-node requests a transpiler once for each module kind. */
let sparing;

/**
 * The SDK records a stack trace for each of its promises, for a debug report of leaks. ts-node maps every frame to its
 * source, thousands of them: a fifth of an update without changes.
 */
function sparePromises() {
    const mapped = Error.prepareStackTrace;
    if (mapped === undefined || mapped === sparing || process.env.PULUMI_DEBUG_PROMISE_LEAKS) return;
    Error.prepareStackTrace = sparing = (error, frames) =>
        frames[0]?.getFunctionName() === "debuggablePromise" ? String(error) : mapped(error, frames);
}
