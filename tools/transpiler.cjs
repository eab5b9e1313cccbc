// Has ts-node translate by esbuild, as tsconfig.json asks for: TypeScript's own translation of the program takes longer
// than the program. Types are checked by npm run check, never here.
const { transformSync } = require("esbuild");

exports.create = () => ({
    transpile(input, { fileName }) {
        const { code, map } = transformSync(input, {
            loader: "ts",
            format: "cjs",
            target: "node20",
            sourcemap: "external",
            sourcefile: fileName,
        });
        return { outputText: code, sourceMapText: map };
    },
});
