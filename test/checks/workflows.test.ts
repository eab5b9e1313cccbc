import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { touchedJudges } from "../../cli/review/attention";
import { MARKER } from "../../cli/review/comment";
import { root } from "../support";

interface Workflow {
    on: Record<string, unknown>;
    permissions?: unknown;
    jobs: Record<
        string,
        {
            permissions?: Record<string, string>;
            steps?: { uses?: string; run?: string; shell?: string; with?: Record<string, string> }[];
            uses?: string;
        }
    >;
}

const folder = join(root, ".github", "workflows");
const texts = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")]));
const workflows = new Map([...texts].map(([file, text]) => [file, parse(text) as Workflow]));

describe("the workflows", () => {
    it("pin every action by commit, and say which version it is", () => {
        for (const [file, text] of texts) {
            for (const line of text.split("\n").filter((each) => /^\s*(- )?uses:/.test(each))) {
                assert.match(
                    line,
                    /uses: (\.\/|[\w-]+\/[\w-]+(\/[\w-]+)?@[0-9a-f]{40} # v\d)/,
                    `${file}: ${line}`,
                );
            }
        }
    });

    it("begin with no more rights than to read", () => {
        for (const [file, { permissions }] of workflows) {
            const rights = Object.entries((permissions ?? { all: "write" }) as Record<string, string>);
            const written = rights.filter(([, level]) => level === "write");
            assert.deepEqual(written, [], file);
        }
    });

    it("give a change's own code no secret and nothing to write with", () => {
        for (const [file, { on, jobs }] of workflows) {
            if ("pull_request" in on) {
                assert.doesNotMatch(texts.get(file)!, /secrets\.|id-token|: write/, file);
            }
            // It has the rights, so it checks nothing out and runs nothing that it downloads.
            if ("workflow_run" in on || "pull_request_target" in on) {
                const steps = Object.values(jobs).flatMap(({ steps: all = [] }) => all);
                assert.ok(
                    steps.every(({ uses = "" }) => !uses.startsWith("actions/checkout")),
                    file,
                );
                assert.ok(
                    steps.every(({ run = "" }) => !/\b(npm|npx|node|bash|sh) \S*review\//.test(run)),
                    file,
                );
            }
        }
    });

    it("hand findings to code scanning where none of a change's code runs before it is merged, and nowhere else", () => {
        const rights = [...workflows].flatMap(([file, { jobs }]) =>
            Object.values(jobs).flatMap(({ permissions, steps = [] }) => {
                const uploads = steps.filter(({ uses }) =>
                    uses?.startsWith("github/codeql-action/upload-sarif@"),
                );
                return permissions?.["security-events"] === undefined && uploads.length === 0
                    ? []
                    : [
                          [
                              file,
                              permissions?.["security-events"],
                              ...uploads.map((step) => step.with?.["sarif_file"]),
                          ],
                      ];
            }),
        );
        assert.deepEqual(rights.sort(), [
            ["findings.yml", "write", "review.sarif"],
            ["review-comment.yml", "write", "review/review.sarif"],
        ]);
        assert.deepEqual(workflows.get("findings.yml")!.on, { push: { branches: ["main"] } });
    });

    it("post the comment as the review wrote it, which keeps it within GitHub's limit", () => {
        const runs = Object.values(workflows.get("review-comment.yml")!.jobs)
            .flatMap(({ steps = [] }) => steps.map(({ run }) => run ?? ""))
            .filter((run) => run.includes("review.md"));
        assert.equal(runs.length, 1);
        assert.ok(runs[0]!.includes(`marker='${MARKER}'`));
        assert.doesNotMatch(runs[0]!, /head -c|\b(sed|truncate|awk)\b/);
        // What is put in front fits into what the review leaves of GitHub's 65,536 characters.
        const [, lines, width] = /head -n (\d+) judges\.txt \| cut -c 1-(\d+)/.exec(runs[0]!) ?? [];
        assert.ok(Number(lines) * (Number(width) + 1) + 300 < 65_536 - 61_440);
    });

    it("list what decides how changes are judged by GitHub's word, and the same files as the review does", () => {
        const text = texts.get("review-comment.yml")!;
        const [, pattern] = /grep -E '(.+)' files\.txt/.exec(text) ?? [];
        const listed = (path: string) => new RegExp(pattern!).test(path) && !path.startsWith("test/golden/");
        const files = [
            ...[
                "policies/rules/index.ts",
                "policies/exceptions.yaml",
                "core/numbers.ts",
                "core/addresses.ts",
            ],
            ...[
                ".github/workflows/check.yml",
                ".github/CODEOWNERS",
                "CODEOWNERS",
                "cli/cli.ts",
                "offline/record.ts",
            ],
            ...["build/bundle.cjs", ".ci/run", ".githooks/pre-commit", "tsconfig.json", "eslint.config.mjs"],
            ...[
                "package.json",
                "package-lock.json",
                "jobs/release.ts",
                "runbook/catalogue.ts",
                "test/policies/rules.test.ts",
                "Pulumi.yaml",
            ],
            ...[
                "test/golden/production/outputs.yaml",
                "README.md",
                "components/data/cache.ts",
                "Pulumi.staging.yaml",
            ],
        ];
        for (const path of files) {
            const found = touchedJudges([{ path, isNew: false, lines: [] }]).length > 0;
            assert.equal(listed(path), found, path);
        }
        assert.ok(files.filter(listed).length > 15);
    });

    it("have owners for what decides how changes are judged", () => {
        const owners = readFileSync(join(root, ".github", "CODEOWNERS"), "utf8").split("\n");
        for (const path of [
            "/.github/",
            "/policies/",
            "/core/numbers.ts",
            "/cli/",
            "/offline/",
            "/jobs/",
            "/runbook/",
            "/package-lock.json",
        ]) {
            assert.ok(
                owners.some((line) => line.startsWith(`${path} `) && line.includes("@")),
                path,
            );
        }
    });

    it("fail with a command that is piped into another", () => {
        for (const [file, { jobs }] of workflows) {
            for (const { run = "", shell } of Object.values(jobs).flatMap(({ steps = [] }) => steps)) {
                if (/^npm .* \| /m.test(run)) {
                    // A step without its own shell does not set the option to fail early.
                    assert.equal(shell, "bash", `${file}: ${run}`);
                }
            }
        }
    });
});
