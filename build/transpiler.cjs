// Has ts-node translate by esbuild, as tsconfig.json asks for: TypeScript's own translation of the program takes longer
// than the program. Types are checked by npm run check, never here.
const { transformSync } = require("esbuild");

exports.create = () => {
    sparePromises();
    return {
        transpile(input, { fileName }) {
            const { code, map } = transformSync(input, {
                loader: "ts",
                format: "cjs",
                target: "node20",
                // What is imported when it is needed is required then, as in the bundles.
                supported: { "dynamic-import": false },
                sourcemap: "external",
                sourcefile: fileName,
            });
            return { outputText: code, sourceMapText: map };
        },
    };
};

/** What {@link sparePromises} has put in place: ts-node asks for a transpiler once for each kind of module. */
let sparing;

/**
 * The SDK notes the stack of each of its promises, to tell of one that leaks when it is asked to. ts-node maps every
 * frame of a stack to its source, and there are thousands of those: a fifth of an update with nothing to do.
 */
function sparePromises() {
    const mapped = Error.prepareStackTrace;
    if (mapped === undefined || mapped === sparing || process.env.PULUMI_DEBUG_PROMISE_LEAKS) return;
    Error.prepareStackTrace = sparing = (error, frames) =>
        frames[0]?.getFunctionName() === "debuggablePromise" ? String(error) : mapped(error, frames);
}
