import assert from "node:assert/strict";
import { judgeRecording } from "../../offline/judge";
import {
    openValues,
    readSnapshot,
    type Snapshot,
    type StackSnapshot,
    writeSnapshot,
} from "../../offline/snapshot";
import { readStackFile } from "../../offline/stackFile";
import { rules } from "../../policies/rules";
import { MARKER, renderMarkdown, renderText } from "../../tools/review/report";
import { isRefused, type Review, review } from "../../tools/review/review";
import { renderSarif } from "../../tools/review/sarif";
import { recordingOf } from "../../tools/review/state";
import { recordStack, root } from "../support";

const NOW = new Date("2026-02-01T00:00:00Z");
const RELEASE = "mcp:workloads.chat-ui.release.version=v1.5.0";
const TOO_FEW = "mcp:workloads.chat-ui.scaling.min=1";

/** Production with edits, as a review is handed it: written and read again. */
async function snapshot(...edits: string[]): Promise<StackSnapshot> {
    const recording = await recordStack("production", ...edits);
    const values = openValues(readStackFile(root, "production", edits));
    const findings = judgeRecording(recording, rules, NOW);
    return readSnapshot(writeSnapshot({ production: { recording, findings, values } }))[
        "production"
    ] as StackSnapshot;
}

async function reviewed(before: string[], after: string[]): Promise<Review> {
    const [base, head] = [await snapshot(...before), await snapshot(...after)];
    return { base: "main", stacks: review({ production: base }, { production: head }), rules };
}

describe("a review", () => {
    it("of no change says that there is nothing against it", async () => {
        const result = await reviewed([], []);
        assert.equal(isRefused(result), false);
        assert.match(renderText(result), /^Nothing against it: no new findings, no resource changed\n/);
        assert.match(renderText(result), /Stack production: nothing changes/);
        assert.deepEqual(JSON.parse(renderSarif(result)).runs[0].results, []);
        assert.deepEqual(JSON.parse(renderSarif(result)).runs[0].tool.driver.rules, []);
    });

    it("tells a release, the procedure it is, and what it changes", async () => {
        const result = await reviewed([], [RELEASE]);
        const [stack] = result.stacks;
        assert.deepEqual(stack!.releases, ["chat-ui goes from v1.4.2 to v1.5.0; gates: evidence, smoke."]);
        assert.deepEqual(stack!.edits, [
            {
                path: "mcp:workloads.chat-ui.release.version",
                before: '"v1.4.2"',
                after: '"v1.5.0"',
                procedure: "Standard deployment (3.1, 3.2) or Rollback of a rolling deployment (3.4)",
            },
        ]);
        assert.deepEqual(
            stack!.changes
                .map(({ operation, resource }) => `${operation} ${resource.type.split(":").at(-1)}`)
                .sort(),
            // Two gates and the notice, and what each runs.
            [
                "create Job",
                "create Job",
                "create Job",
                "delete Job",
                "delete Job",
                "delete Job",
                "replace ConfigMap",
                "replace ConfigMap",
                "replace ConfigMap",
                "update Deployment",
            ],
        );
        assert.equal(isRefused(result), false);
    });

    it("tells the switch of a blue-green release", async () => {
        const [stack] = (await reviewed([], ["mcp:workloads.mcp-server.live=green"])).stacks;
        assert.match(
            stack!.releases.join(),
            /^mcp-server goes from blue v2\.0\.3 to green v2\.1\.0; gates: evidence, capacity, smoke, soak/,
        );
        assert.match(stack!.edits[0]!.procedure!, /^Blue-green deployment: release/);
    });

    it("tells the way back, by its versions, and every procedure that the edit may be", async () => {
        const [stack] = (await reviewed(["mcp:workloads.mcp-server.live=green"], [])).stacks;
        assert.match(stack!.releases.join(), /^mcp-server goes back from green v2\.1\.0 to blue v2\.0\.3;/);
        assert.match(
            stack!.edits[0]!.procedure!,
            /^Blue-green deployment: release \(.*\) or Rollback of a blue-green deployment \(3\.3, 3\.4\)$/,
        );
        const [rolling] = (await reviewed([], ["mcp:workloads.chat-ui.release.version=v1.4.1"])).stacks;
        assert.match(rolling!.releases.join(), /^chat-ui goes back from v1\.4\.2 to v1\.4\.1;/);
    });

    it("refuses what a mandatory rule finds anew, and not what was there before", async () => {
        const fresh = await reviewed([], [TOO_FEW]);
        assert.equal(isRefused(fresh), true);
        assert.deepEqual(
            fresh.stacks[0]!.findings.fresh.map(({ rule }) => rule),
            ["kubernetes-autoscaler-require-minimum"],
        );
        assert.match(renderText(fresh), /^Refused: 1 new finding, /);
        const existing = await reviewed([TOO_FEW], [TOO_FEW, RELEASE]);
        assert.equal(isRefused(existing), false);
        assert.equal(existing.stacks[0]!.findings.existing.length, 1);
        const fixed = await reviewed([TOO_FEW], []);
        assert.equal(fixed.stacks[0]!.findings.fixed.length, 1);
        assert.match(
            renderText(fixed),
            /Fixed findings:\n {4}kubernetes-autoscaler-require-minimum \[mandatory\]/,
        );
    });

    it("lists what an exception accepts aside, with its reason", async () => {
        const base = await snapshot();
        const finding = {
            rule: "kubernetes-autoscaler-require-minimum",
            urn: "urn::chat-ui",
            message: "too few",
        };
        const exception = {
            rule: finding.rule,
            stack: "production",
            resource: "chat-ui",
            reason: "nobody uses it yet",
            owner: "platform",
            ticket: "CHG-1",
            expires: "2026-12-31",
        };
        const suppressed = { ...finding, kind: "suppressed" as const, exception };
        const head = { ...base, findings: [...base.findings, suppressed] };
        const result = { base: "main", stacks: review({ production: base }, { production: head }), rules };
        assert.equal(isRefused(result), false);
        assert.match(
            renderText(result),
            /an exception accepts:\n.*: too few\n +nobody uses it yet \(CHG-1, platform, until 2026-12-31\)/,
        );
    });

    it("shows first that data is in danger", async () => {
        const result = await reviewed([], ["mcp:backups.bucket=another-bucket"]);
        assert.deepEqual(
            result.stacks[0]!.endangered.map(({ operation, resource }) => `${operation} ${resource.name}`),
            ["replace mcp-production-backups"],
        );
        const [, second] = renderMarkdown(result).split("\n");
        assert.match(second!, /^## Look closely: no new findings, 1 stateful resource deleted or replaced, /);
        const text = renderText(result);
        assert.ok(text.indexOf("Data in danger:") < text.indexOf("Values:"));
    });

    it("says so when a side does not preview, and compares nothing then", async () => {
        const good: Snapshot = { production: await snapshot() };
        const broken: Snapshot = { production: { problem: "mcp:environment: found nothing" } };
        const [noHead] = review(good, broken);
        assert.deepEqual([noHead!.changes, noHead!.endangered, noHead!.findings.fixed], [[], [], []]);
        assert.equal(isRefused({ base: "main", stacks: [noHead!], rules }), true);
        const noBase: Review = { base: "main", stacks: review(broken, good), rules };
        assert.deepEqual(noBase.stacks[0]!.changes, []);
        assert.equal(isRefused(noBase), false);
        assert.match(renderText(noBase), /^Nothing against it: production has no base to compare with, /);
    });

    it("treats a new stack as new", async () => {
        const [stack] = review({}, { production: await snapshot() });
        assert.ok(stack!.changes.every(({ operation }) => operation === "create" || operation === "read"));
        assert.deepEqual(stack!.releases, []);
    });
});

describe("a review as a comment", () => {
    it("begins with the mark by which it is found again, folds the resources, and escapes what it quotes", async () => {
        const text = renderMarkdown(
            await reviewed([], ["mcp:workloads.chat-ui.config.NOTE=<b>@all *x* `y`"]),
        );
        assert.equal(text.split("\n")[0], MARKER);
        assert.match(text, /<details><summary>Resources<\/summary>/);
        const [visible] = text.split("<details>");
        assert.match(visible!, /&lt;b\\>@\u200ball \\\*x\\\* \\`y\\`/);
        assert.doesNotMatch(visible!, /<b>|@all/);
    });

    it("stays within what GitHub takes, whatever the change", async () => {
        const head = await snapshot();
        const many = Array.from({ length: 900 }, (_, index) => ({
            ...head.recording.resources.at(-1)!,
            urn: `urn:pulumi:production::mcp::kubernetes:core/v1:ConfigMap::copy-${index}`,
            name: `copy-${index}-${"x".repeat(60)}`,
        }));
        const grown = {
            ...head,
            recording: { ...head.recording, resources: [...head.recording.resources, ...many] },
        };
        const stacks = review({ production: head }, { production: grown });
        const text = renderMarkdown({ base: "main", stacks, rules });
        assert.ok(text.length <= 65_536, String(text.length));
        assert.match(text, /900 to create/);
    });

    it("shows no secret", async () => {
        const planted = ["mcp:secrets.mcp-server.APIM_SUBSCRIPTION_KEY=planted-secret"];
        const result = await reviewed([], planted);
        assert.ok(result.stacks[0]!.changes.length > 0);
        for (const text of [renderMarkdown(result), renderText(result), renderSarif(result)]) {
            assert.doesNotMatch(text, /planted-secret/);
        }
    });
});

describe("a review as SARIF", () => {
    it("has each violation once, where the program declares it, with a fingerprint that outlives the line", async () => {
        const run = (text: string) => JSON.parse(text).runs[0];
        const result = await reviewed([], [TOO_FEW]);
        const { results, tool } = run(renderSarif(result));
        assert.equal(results.length, 1);
        const [{ ruleId, level, baselineState, locations, partialFingerprints }] = results;
        assert.deepEqual(
            [ruleId, level, baselineState],
            ["kubernetes-autoscaler-require-minimum", "error", "new"],
        );
        const { artifactLocation, region } = locations[0].physicalLocation;
        assert.equal(artifactLocation.uri, "components/workload/parts.ts");
        assert.ok(region.startLine > 1);
        assert.deepEqual(
            tool.driver.rules.map(({ id }: { id: string }) => id),
            ["kubernetes-autoscaler-require-minimum"],
        );
        const [again] = run(renderSarif(await reviewed([TOO_FEW], [TOO_FEW, RELEASE]))).results;
        assert.deepEqual(again.partialFingerprints, partialFingerprints);
        assert.equal(again.baselineState, "unchanged");
    });
});

describe("an exported stack", () => {
    /* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
    /** What the engine would have in its state after an update to the recording. */
    const stateOf = ({ recording }: StackSnapshot) => ({
        version: 3,
        deployment: {
            resources: (
                JSON.parse(writeSnapshot({ production: { recording, findings: [], values: {} } })).production
                    .recording.resources as Record<string, any>[]
            ).map(({ urn, type, custom, read, parent, provider, inputs, options, ...resource }) => ({
                urn,
                type,
                custom,
                external: read,
                parent,
                provider: provider && `${provider}::id`,
                protect: options.protect,
                dependencies: resource["dependencies"],
                propertyDependencies: resource["propertyDependencies"],
                inputs: {
                    ...inputs,
                    __defaults: [],
                    ...(type.startsWith("kubernetes:") && inputs.metadata?.name === undefined
                        ? {
                              metadata: {
                                  ...inputs.metadata,
                                  name: "given-by-the-provider",
                                  annotations: {
                                      ...inputs.metadata?.annotations,
                                      "pulumi.com/autonamed": "true",
                                  },
                              },
                          }
                        : {}),
                },
            })),
        },
    });

    it("of the same values differs in nothing", async () => {
        const head = await snapshot();
        const recording = recordingOf(JSON.stringify(stateOf(head)), "state.json", head.recording);
        const [stack] = review({ production: { ...head, recording } }, { production: head });
        assert.deepEqual(stack!.changes, []);
    });

    it("of other values differs in what they change", async () => {
        const head = await snapshot(RELEASE);
        const state = stateOf(await snapshot());
        const recording = recordingOf(JSON.stringify(state), "state.json", head.recording);
        const [stack] = review({ production: { ...head, recording } }, { production: head });
        assert.deepEqual(stack!.releases, ["chat-ui goes from v1.4.2 to v1.5.0; gates: evidence, smoke."]);
        assert.ok(stack!.changes.every(({ resource }) => resource.name.startsWith("chat-ui")));
    });

    it("is refused when it is none, or of another stack", async () => {
        const head = await snapshot();
        assert.throws(
            () => recordingOf("{}", "state.json", head.recording),
            /state\.json: found no exported stack/,
        );
        const text = JSON.stringify(stateOf(head)).replaceAll(
            "urn:pulumi:production::",
            "urn:pulumi:staging::",
        );
        assert.throws(
            () => recordingOf(text, "state.json", head.recording),
            /found urn:pulumi:staging::mcp, expected resources of urn:pulumi:production::mcp/,
        );
    });
});
