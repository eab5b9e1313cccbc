import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { root } from "../support";

interface Step {
    id?: string;
    if?: string;
    uses?: string;
    run?: string;
    with?: Record<string, string | number | boolean>;
}

interface Job {
    if?: string;
    needs?: string;
    uses?: string;
    environment?: string;
    permissions?: Record<string, string>;
    concurrency?: { group: string; "cancel-in-progress": boolean };
    steps?: Step[];
}

interface Workflow {
    on: Record<string, { branches?: string[]; "paths-ignore"?: string[] } | null>;
    permissions?: Record<string, string>;
    concurrency?: { group: string };
    jobs: Record<string, Job>;
}

const folder = join(root, ".github", "workflows");
const texts: ReadonlyMap<string, string> = new Map(
    readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")]),
);

/** A filter of paths as GitHub reads it: two asterisks match any characters, one matches all but a slash. */
function asPattern(glob: string): RegExp {
    const parts = glob.split(/(\*\*|\*)/).map((part) => {
        return part === "**" ? ".*" : part === "*" ? "[^/]*" : part.replace(/[.+?()[\]]/g, "\\$&");
    });
    return new RegExp(`^${parts.join("")}$`);
}

const ON_MAIN = "github.ref == 'refs/heads/main'";

/** What is wrong with how the workflows reach the stacks, a line a problem. */
function problemsOf(files: ReadonlyMap<string, string>): string[] {
    const workflows = [...files].map(([file, text]) => ({ file, text, ...(parse(text) as Workflow) }));
    const jobs = workflows.flatMap(({ file, jobs: own }) =>
        Object.entries(own).map(([name, job]) => ({ place: `${file}, ${name}`, file, name, ...job })),
    );
    const problems: string[] = [];
    const expect = (holds: unknown, place: string, rule: string) => {
        if (!holds) problems.push(`${place}: ${rule}`);
    };

    for (const { file, permissions, text } of workflows) {
        expect(
            permissions !== undefined && !("id-token" in permissions),
            file,
            "gives its rights to single jobs",
        );
        expect(!/--show-secrets/.test(text), file, "never shows secrets");
        expect(
            !/pulumi (up|destroy|refresh|import|state)/.test(text),
            file,
            "updates by npm run deploy alone",
        );
    }
    for (const { place, steps = [], ...job } of jobs) {
        const runs = steps.map(({ run = "" }) => run);
        if (job.environment !== undefined || job.uses === "./.github/workflows/update.yml") {
            expect(job.if?.includes(ON_MAIN), place, "reaches an environment from main only");
        }
        if (job.permissions?.["id-token"] === "write" && job.uses === undefined) {
            expect(job.environment !== undefined, place, "takes a role in an environment only");
            expect(
                runs.every(
                    (run) => !/npm (ci|install|i)\b/.test(run) || /^npm ci --ignore-scripts$/.test(run),
                ),
                place,
                "runs no package's scripts beside a role",
            );
            const setup = steps.find(({ uses }) => uses?.startsWith("actions/setup-node@"));
            expect(
                setup?.with?.["package-manager-cache"] === false && setup.with["cache"] === undefined,
                place,
                "takes no packages from a cache that other workflows write",
            );
        }
        if (runs.some((run) => run.includes("npm run -s deploy"))) {
            const checkout = steps.find(({ uses }) => uses?.startsWith("actions/checkout@"));
            expect(checkout?.with?.["fetch-depth"] === 0, place, "knows the history");
            expect(
                steps.some(
                    ({ if: when, run }) =>
                        when === "always()" && run?.includes('plan/summary.md" >> "$GITHUB_STEP_SUMMARY"'),
                ),
                place,
                "shows its summary, whatever comes of it",
            );
        }
    }

    const byName = new Map(jobs.map((job) => [job.place, job]));
    const preview = byName.get("update.yml, preview");
    const update = byName.get("update.yml, update");
    const stepWith = (job: Job | undefined, words: string) =>
        job?.steps?.find(({ run, uses }) => `${run ?? ""}${uses ?? ""}`.includes(words));
    expect(stepWith(preview, 'deploy -- plan --stack "$STACK"'), "update.yml", "plans before the approval");
    expect(
        preview?.environment === "${{ inputs.stack }}-drift",
        "update.yml",
        "previews without an approval",
    );
    expect(stepWith(update, 'deploy -- apply --stack "$STACK"'), "update.yml", "updates by the plan");
    expect(update?.environment === "${{ inputs.stack }}", "update.yml", "updates behind the approval");
    expect(
        update?.needs === "preview" && update.if?.includes("needs.preview.outputs.changes != '0'"),
        "update.yml",
        "asks for no approval where nothing changes",
    );
    expect(
        stepWith(update, "actions/download-artifact@")?.with?.["artifact-ids"] ===
            "${{ needs.preview.outputs.artifact }}",
        "update.yml",
        "uses the plan of its own preview",
    );
    const uploaded = String(stepWith(preview, "actions/upload-artifact@")?.with?.["path"]).trim().split("\n");
    expect(
        uploaded.every((path) => /\/plan\/(plan|record)\.json$/.test(path)),
        "update.yml",
        "uploads the plan and nothing else",
    );

    const groups = [...workflows.map(({ file, concurrency }) => ({ place: file, concurrency })), ...jobs];
    expect(
        update?.concurrency?.group === "stack-${{ inputs.stack }}" &&
            update.concurrency["cancel-in-progress"] === false,
        "update.yml",
        "updates a stack one at a time, to the end",
    );
    for (const { place, concurrency } of groups) {
        expect(
            place === "update.yml, update" || !concurrency?.group.startsWith("stack-"),
            place,
            "takes no deploy's place in the queue",
        );
    }

    const deploy = workflows.find(({ file }) => file === "deploy.yml")!;
    const push = deploy.on["push"];
    expect(push?.branches?.join() === "main", "deploy.yml", "deploys what is pushed to main");
    const ignored = (path: string) =>
        push?.["paths-ignore"]?.some((glob) => asPattern(glob).test(path)) === true;
    for (const path of ["README.md", "policies/README.md", "docs/a.png", "test/unit/a.test.ts"]) {
        expect(ignored(path), "deploy.yml", `deploys nothing for ${path}`);
    }
    const deployed = [
        "index.ts",
        "Pulumi.yaml",
        "Pulumi.production.yaml",
        "jobs/a.sh",
        "policies/exceptions.yaml",
    ];
    for (const path of [...deployed, "package-lock.json", "stack/a.ts", ".github/workflows/deploy.yml"]) {
        expect(!ignored(path), "deploy.yml", `deploys ${path}`);
    }
    expect(
        deploy.jobs["production"]?.needs === "staging" &&
            deploy.jobs["production"].if?.includes(
                "!cancelled() && (needs.staging.result == 'success' || needs.staging.result == 'skipped')",
            ),
        "deploy.yml",
        "deploys to production only after staging",
    );
    const { staging } = deploy.jobs;
    expect(
        staging?.concurrency?.["cancel-in-progress"] === false &&
            deploy.jobs["production"]?.concurrency === undefined,
        "deploy.yml",
        "previews staging after the update before it, and lets no approval hold up newer commits",
    );
    return problems;
}

describe("the deploy workflows", () => {
    it("keep the rules", () => {
        assert.deepEqual(problemsOf(texts), []);
    });

    /** A fault, by its file, what is replaced in there, and the rule that finds it. */
    const faults: [file: string, from: string | RegExp, to: string, rule: RegExp][] = [
        [
            "update.yml",
            "permissions:\n  contents: read\njobs",
            "permissions:\n  id-token: write\njobs",
            /single jobs/,
        ],
        [
            "update.yml",
            "npm run -s deploy -- plan",
            "pulumi preview --show-secrets; npm run -s deploy -- plan",
            /never shows/,
        ],
        ["drift.yml", "pulumi preview --stack", "pulumi up --stack", /npm run deploy alone/],
        [
            "drift.yml",
            "    if: github.ref == 'refs/heads/main'\n",
            "",
            /drift: reaches an environment from main/,
        ],
        [
            "deploy.yml",
            "    if: github.ref == 'refs/heads/main'\n",
            "",
            /staging: reaches an environment from main/,
        ],
        [
            "deploy.yml",
            / &&\n {6}github\.ref == 'refs\/heads\/main'/,
            "",
            /production: reaches an environment from main/,
        ],
        ["update.yml", " && github.ref == 'refs/heads/main'", "", /update: reaches an environment from main/],
        ["drift.yml", /\n {4}environment: .*/, "", /drift: takes a role in an environment/],
        ["drift.yml", "npm ci --ignore-scripts", "npm ci", /drift: runs no package's scripts/],
        [
            "update.yml",
            /npm ci --ignore-scripts(?![^]*npm ci)/,
            "npm ci",
            /update: runs no package's scripts/,
        ],
        [
            "update.yml",
            "package-manager-cache: false",
            "cache: npm",
            /preview: takes no packages from a cache/,
        ],
        ["update.yml", /fetch-depth: 0/, "fetch-depth: 1", /preview: knows the history/],
        ["update.yml", /- if: always\(\)/g, "- if: success()", /update: shows its summary/],
        [
            "update.yml",
            "environment: ${{ inputs.stack }}-drift",
            "environment: ${{ inputs.stack }}",
            /previews without/,
        ],
        [
            "update.yml",
            /environment: \$\{\{ inputs\.stack \}\}\n/,
            "environment: any\n",
            /updates behind the approval/,
        ],
        [
            "update.yml",
            "needs.preview.outputs.changes != '0'",
            "needs.preview.result == 'success'",
            /no approval where/,
        ],
        [
            "update.yml",
            "artifact-ids: ${{ needs.preview.outputs.artifact }}",
            "name: plan",
            /its own preview/,
        ],
        ["update.yml", "plan/record.json\n          if-no", "state.json\n          if-no", /nothing else/],
        ["update.yml", "cancel-in-progress: false", "cancel-in-progress: true", /to the end/],
        ["drift.yml", "group: drift-", "group: stack-", /drift: takes no deploy's place/],
        ["deploy.yml", "branches: [main]", "branches: [main, next]", /pushed to main/],
        ["deploy.yml", '"**.md", ', "", /deploys nothing for README\.md/],
        ["deploy.yml", "docs/**", '"**"', /deploys index\.ts/],
        ["deploy.yml", "    needs: staging\n", "", /only after staging/],
        ["deploy.yml", "needs.staging.result == 'success' ||", "true ||", /only after staging/],
        ["deploy.yml", "      cancel-in-progress: false\n", "", /staging after the update before it/],
    ];
    for (const [file, from, to, rule] of faults) {
        it(`are refused in ${file} with ${JSON.stringify(to)} for ${String(from).trim()}`, () => {
            const text = texts.get(file)!;
            const broken = text.replace(from, to);
            assert.notEqual(broken, text);
            assert.match(problemsOf(new Map([...texts, [file, broken]])).join("\n"), rule);
        });
    }
});
