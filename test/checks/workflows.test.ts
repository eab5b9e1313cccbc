import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { root } from "../support";

interface Workflow {
    on: Record<string, unknown>;
    permissions?: unknown;
    jobs: Record<
        string,
        { permissions?: Record<string, string>; steps?: { uses?: string; run?: string }[]; uses?: string }
    >;
}

const folder = join(root, ".github", "workflows");
const texts = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")]));
const workflows = new Map([...texts].map(([file, text]) => [file, parse(text) as Workflow]));

describe("the workflows", () => {
    it("pin every action by commit, and say which version it is", () => {
        for (const [file, text] of texts) {
            for (const line of text.split("\n").filter((each) => /^\s*(- )?uses:/.test(each))) {
                assert.match(line, /uses: (\.\/|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d)/, `${file}: ${line}`);
            }
        }
    });

    it("begin with no more rights than to read", () => {
        for (const [file, { permissions }] of workflows) {
            const rights = Object.entries((permissions ?? { all: "write" }) as Record<string, string>);
            const written = rights.filter(([right, level]) => level === "write" && right !== "id-token");
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

    it("never cut off an update that is running", () => {
        for (const [file, text] of texts) {
            if (/pulumi (up|preview)/.test(text)) {
                assert.match(text, /group: stack-\$\{\{ .* \}\}\n\s+cancel-in-progress: false/, file);
            }
        }
    });
});
