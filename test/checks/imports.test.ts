import assert from "node:assert/strict";
import { folderOf, foldersDiagram, type Import, importsOf } from "../../cli/importGraph";
import { root } from "../support";

/** Which folder may import which. Everything else is an arrow that points back. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
    core: [],
    build: [],
    jobs: ["core"],
    config: ["core", "jobs"],
    components: ["core", "jobs"],
    stack: ["core", "config", "components"],
    "index.ts": ["config", "stack"],
    policies: ["core", "config"],
    runbook: ["core", "config"],
    // It knows the program by running it.
    offline: ["core", "build", "config", "jobs", "policies"],
    cli: ["core", "config", "components", "jobs", "offline", "policies", "runbook", "stack"],
};

/** Files of `config` that policies may import: helpers of schemas, and nothing of the stack's values. */
const SCHEMA_HELPERS = ["config/problems.ts", "config/scalars.ts"];

/** What is wrong with the imports of a program, a line a problem. */
function problemsOf(imports: readonly Import[]): string[] {
    const crossing = imports.filter(({ from, to }) => folderOf(from) !== folderOf(to));
    const line = ({ from, to }: Import) => `${from} imports ${to}`;
    return [
        ...crossing.filter(({ from, to }) => !ALLOWED[folderOf(from)]?.includes(folderOf(to))).map(line),
        ...crossing
            .filter(({ from, to }) => folderOf(from) === "policies" && folderOf(to) === "config")
            .filter(({ to }) => !SCHEMA_HELPERS.includes(to))
            .map((each) => `${line(each)}, expected ${SCHEMA_HELPERS.join(" or ")}`),
        ...crossing
            .filter(
                ({ from, to, typesOnly }) =>
                    folderOf(from) === "runbook" && folderOf(to) === "config" && !typesOnly,
            )
            .map((each) => `${line(each)}, expected types alone`),
        ...cyclesOf(imports.map(({ from, to }) => [from, to])),
        ...cyclesOf(crossing.map(({ from, to }) => [folderOf(from), folderOf(to)])),
    ];
}

/** Each cycle once, as `a → b → a`. */
function cyclesOf(arrows: readonly (readonly [from: string, to: string])[]): string[] {
    const targets = new Map<string, Set<string>>();
    for (const [from, to] of arrows) {
        targets.set(from, (targets.get(from) ?? new Set()).add(to));
    }
    const cycles: string[] = [];
    const done = new Set<string>();
    const visit = (node: string, path: readonly string[]) => {
        if (path.includes(node)) {
            cycles.push([...path.slice(path.indexOf(node)), node].join(" → "));
            return;
        }
        if (!done.has(node)) {
            for (const next of targets.get(node) ?? []) {
                visit(next, [...path, node]);
            }
            done.add(node);
        }
    };
    for (const node of targets.keys()) {
        visit(node, []);
    }
    return cycles;
}

describe("the imports between source files", () => {
    it("point one way, between folders and between files", () => {
        const imports = importsOf(root);
        assert.ok(imports.length > 500, `found ${imports.length} imports`);
        assert.deepEqual(problemsOf(imports), []);
    });

    it("are refused where they point back", () => {
        const of = (from: string, to: string, typesOnly = false) => ({ from, to, typesOnly });
        const faults: [string, Import[], string[]][] = [
            ["an arrow", [of("core/labels.ts", "jobs/health.ts")], ["core/labels.ts imports jobs/health.ts"]],
            [
                "a cycle of files",
                [
                    of("jobs/a.ts", "jobs/b.ts"),
                    of("jobs/b.ts", "jobs/c.ts", true),
                    of("jobs/c.ts", "jobs/a.ts"),
                ],
                ["jobs/a.ts → jobs/b.ts → jobs/c.ts → jobs/a.ts"],
            ],
            [
                "values of the stack in a policy",
                [of("policies/a.ts", "config/index.ts", true)],
                ["policies/a.ts imports config/index.ts, expected config/problems.ts or config/scalars.ts"],
            ],
            [
                "code of the configuration in a procedure",
                [of("runbook/a.ts", "config/index.ts")],
                ["runbook/a.ts imports config/index.ts, expected types alone"],
            ],
        ];
        for (const [what, imports, expected] of faults) {
            assert.deepEqual(problemsOf(imports), expected, what);
        }
    });

    it("are drawn without the arrows that follow from others", () => {
        const of = (from: string, to: string) => ({
            from: `${from}/a.ts`,
            to: `${to}/b.ts`,
            typesOnly: false,
        });
        const imports = [of("stack", "components"), of("stack", "core"), of("components", "core")];
        assert.equal(
            foldersDiagram(imports),
            "flowchart TD\n  components --> core\n  stack --> components\n",
        );
    });
});
