import pulumi from "@pulumi/eslint-plugin";
import tseslint from "typescript-eslint";

export default tseslint.config(
    { ignores: ["node_modules", ".cache", "coverage"] },
    { linterOptions: { reportUnusedDisableDirectives: "error" } },
    {
        files: ["**/*.ts"],
        extends: [...tseslint.configs.recommended],
        plugins: { "@pulumi": pulumi },
        languageOptions: {
            parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname },
        },
        rules: {
            "@pulumi/no-output-in-template-literal": "error",
            "@pulumi/no-output-instance-in-template-literal": "error",
            "@typescript-eslint/no-floating-promises": "error",
            "@typescript-eslint/no-misused-promises": "error",
            "@typescript-eslint/await-thenable": "error",
            "@typescript-eslint/switch-exhaustiveness-check": "error",
            "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
            eqeqeq: ["error", "always", { null: "ignore" }],
        },
    },
    {
        files: ["test/**/*.ts"],
        // A mocha suite is a promise the runner awaits.
        rules: { "@typescript-eslint/no-floating-promises": ["error", { allowForKnownSafeCalls: [] }] },
    },
);
