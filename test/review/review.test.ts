import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { judgeRecording } from "../../offline/evaluate";
import { type RecordedResource } from "../../offline/record";
import {
    openValues,
    readSnapshot,
    type Snapshot,
    type StackSnapshot,
    writeSnapshot,
} from "../../offline/snapshot";
import { readStackFile } from "../../offline/stackFile";
import { rules } from "../../policies/rules";
import { MARKER, renderMarkdown } from "../../cli/review/comment";
import { renderJson } from "../../cli/review/json";
import { renderText } from "../../cli/review/report";
import { isRefused, type Review, review } from "../../cli/review/review";
import { renderSarif } from "../../cli/review/sarif";
import { recordingOf } from "../../cli/review/state";
import { edited } from "../policies/edit";
import { recordStack, root } from "../support";
import { PROPERTY_RUNS } from "../properties";

const NOW = new Date("2026-02-01T00:00:00Z");
const RELEASE = "mcp:workloads.chat-ui.release.version=v1.5.0";
const REPORTS = [
    "image=msil-reports",
    "release.version=v1.0.0",
    "release.change.version=v1.0.0",
    "release.change.skip=first installation",
    "port=8080",
    "health.live=/live",
    "health.ready=/ready",
    "scaling.min=2",
    "scaling.max=4",
    "resources.cpu.request=100m",
    "resources.cpu.limit=1",
    "resources.memory.request=128Mi",
    "resources.memory.limit=256Mi",
].map((edit) => `mcp:workloads.reports.${edit}`);
const TOO_FEW = "mcp:workloads.chat-ui.scaling.min=1";

const snapshots = new Map<string, Promise<StackSnapshot>>();

/** Production with edits, as a review is handed it; the same one is taken once for all tests. */
function snapshot(...edits: string[]): Promise<StackSnapshot> {
    const key = edits.join(" ");
    const known = snapshots.get(key) ?? takeSnapshot(edits);
    snapshots.set(key, known);
    return known;
}

/** Written and read again. */
async function takeSnapshot(edits: string[]): Promise<StackSnapshot> {
    const recording = await recordStack("production", ...edits);
    const values = openValues(readStackFile(root, "production", edits));
    const findings = judgeRecording(recording, rules, NOW);
    return readSnapshot(writeSnapshot({ stacks: { production: { recording, findings, values } } })).stacks[
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
        assert.deepEqual(stack!.workloads, [
            "chat-ui goes from v1.4.2 to v1.5.0; gates: evidence, smoke.",
            "The evidence gate stops chat-ui v1.5.0, unless the release history has it: its change record is of v1.4.2, not of v1.5.0.",
        ]);
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
            // Two gates, the watch and the notice, and what each runs.
            [
                "create Job",
                "create Job",
                "create Job",
                "create Job",
                "delete Job",
                "delete Job",
                "delete Job",
                "delete Job",
                "replace ConfigMap",
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
            stack!.workloads.join(),
            /^mcp-server goes from blue v2\.0\.3 to green v2\.1\.0; gates: evidence, capacity, smoke, soak/,
        );
        assert.match(stack!.edits[0]!.procedure!, /^Blue-green deployment: release/);
    });

    it("tells the way back, by its versions, and every procedure that the edit may be", async () => {
        const [stack] = (await reviewed(["mcp:workloads.mcp-server.live=green"], [])).stacks;
        assert.match(stack!.workloads.join(), /^mcp-server goes back from green v2\.1\.0 to blue v2\.0\.3;/);
        assert.match(
            stack!.edits[0]!.procedure!,
            /^Blue-green deployment: release \(.*\) or Rollback of a blue-green deployment \(3\.3, 3\.4\)$/,
        );
        const [rolling] = (await reviewed([], ["mcp:workloads.chat-ui.release.version=v1.4.1"])).stacks;
        assert.match(rolling!.workloads.join(), /^chat-ui goes back from v1\.4\.2 to v1\.4\.1;/);
    });

    it("tells a restart, and leaves out the colour that has no pods", async () => {
        const [rolling] = (await reviewed([], ["mcp:workloads.chat-ui.restart=INC-2041"])).stacks;
        assert.deepEqual(rolling!.workloads, ["chat-ui is restarted: INC-2041."]);
        assert.match(rolling!.edits[0]!.procedure!, /restart/i);
        const [twoColours] = (await reviewed(["mcp:workloads.mcp-server.restart=INC-2041"], [])).stacks;
        assert.deepEqual(twoColours!.workloads, ["mcp-server-blue is restarted."]);
    });

    it("tells that a workload goes, and that what it wrote stays", async () => {
        const result = await reviewed(REPORTS, []);
        assert.deepEqual(result.stacks[0]!.workloads, ["reports is removed."]);
        assert.match(
            renderText(result),
            /Data in danger:\n {4}production: delete aws:cloudwatch\/logGroup:LogGroup \S+-reports \(what it holds stays in the account\)\n/,
        );
    });

    it("refuses new findings of a mandatory rule, and not earlier ones", async () => {
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

    it("refuses what the engine is going to refuse: it replaces nothing that is protected", async () => {
        const result = await reviewed([], ["mcp:backups.bucket=another-bucket"]);
        assert.deepEqual(
            result.stacks[0]!.endangered.map(({ operation, resource }) => `${operation} ${resource.name}`),
            ["replace mcp-production-backups"],
        );
        assert.equal(isRefused(result), true);
        const [first, , ...urgent] = renderText(result).split("\n");
        assert.match(
            first!,
            /^Refused: 1 change that the engine refuses, \d+ new accesses, \d+ safeguards removed or changed, no new findings, \d+ resources changed$/,
        );
        // Once, and not as data in danger: it stays where it is.
        assert.deepEqual(urgent.slice(0, 3), [
            "  Refused by the engine, before it changes anything:",
            "    production: replace aws:s3/bucket:Bucket mcp-production-backups (protected: the engine refuses it)",
            "  Access:",
        ]);
        assert.match(renderMarkdown(result), /^## Refused: .*\n[^]*^\*\*Refused by the engine, .*\*\*$/m);
        const { refused, stacks } = JSON.parse(renderJson(result));
        assert.equal(refused, true);
        assert.deepEqual(
            stacks[0].changes
                .filter((change: { refused: boolean }) => change.refused)
                .map(({ urn }: { urn: string }) => urn.split("::").at(-1)),
            ["mcp-production-backups"],
        );
    });

    for (const [type, immutable] of Object.entries({
        "aws:rds/instance:Instance": "dbName",
        "aws:s3/bucket:Bucket": "bucket",
        "aws:backup/vault:Vault": "name",
        "aws:elasticache/replicationGroup:ReplicationGroup": "port",
        "aws:cloudwatch/logGroup:LogGroup": "name",
        "aws:kms/key:Key": "keyUsage",
    })) {
        const ways: Record<string, (resource: RecordedResource) => RecordedResource[]> = {
            delete: () => [],
            replace: (resource) => [edited(resource, `inputs ${immutable}`, "another") as RecordedResource],
        };
        for (const [operation, change] of Object.entries(ways)) {
            it(`puts it on top in every format that it would ${operation} ${type}, and lets it pass`, async () => {
                const taken = await snapshot();
                const found = taken.recording.resources.find((resource) => resource.type === type)!;
                const one = { ...found, options: {} };
                const others = taken.recording.resources.filter((each) => each !== found);
                const having = (...resources: RecordedResource[]) => ({
                    ...taken,
                    recording: { ...taken.recording, resources: [...others, ...resources] },
                });
                const [base, head] = [having(one), having(...change(one))];
                const result: Review = {
                    base: "main",
                    stacks: review({ production: base }, { production: head }),
                    rules,
                };
                const line = `${operation} ${type} ${one.name}`;

                assert.equal(isRefused(result), false);
                const verdict = /^Look closely: \d+ stateful resources? deleted or replaced, /;
                const [first, , title, ...texts] = renderText(result).split("\n");
                assert.match(first!, verdict);
                assert.equal(title, "  Data in danger:");
                assert.ok(texts.some((text) => text.startsWith(`    production: ${line}`)));

                const [mark, heading, , , , subtitle, , ...items] = renderMarkdown(result).split("\n");
                assert.deepEqual([mark, subtitle], [MARKER, "**Data in danger:**"]);
                assert.match(heading!.replace("## ", ""), verdict);
                assert.ok(items.some((item) => item.startsWith(`- production: ${line}`)));

                const { stacks, ...json } = JSON.parse(renderJson(result));
                assert.match(json.verdict, verdict);
                assert.equal(json.refused, false);
                assert.ok(
                    stacks[0].endangered.some((each: { operation: string; urn: string }) =>
                        isDeepStrictEqual(each, { operation, urn: one.urn }),
                    ),
                );

                const sarif = JSON.parse(renderSarif(result)).runs[0].results;
                assert.equal(sarif[0].ruleId, "data-in-danger");
                assert.ok(
                    sarif.some(
                        ({ ruleId, message }: { ruleId: string; message: { text: string } }) =>
                            ruleId === "data-in-danger" &&
                            message.text.includes(`${type} ${one.name}: ${line}`),
                    ),
                );
            });
        }
    }

    it("says that the engine refuses what is protected", async () => {
        const base = await snapshot();
        const { resources } = base.recording;
        const left = resources.filter(({ type }) => type !== "aws:rds/instance:Instance");
        const head = { ...base, recording: { ...base.recording, resources: left } };
        const stacks = review({ production: base }, { production: head });
        assert.match(
            renderText({ base: "main", stacks, rules }),
            /delete aws:rds\/instance:Instance \S+ \(protected: the engine refuses it\)/,
        );
    });

    it("names what is deployed and not committed", async () => {
        const one = { production: await snapshot() };
        const provenance = { authors: [], lost: ["mcp:a.min: 3 => 6"], uncommitted: ["mcp:a.max: 9 => 12"] };
        const result = { base: "main", stacks: review(one, one, { production: provenance }), rules };
        const text = renderText(result);
        assert.match(text, /^Look closely: 1 value that is deployed and not committed, no new findings/);
        assert.match(text, /so that the next deploy is refused:\n +production: mcp:a\.min: 3 => 6\n/);
        assert.match(text, /Values that are not committed:\n +mcp:a\.max: 9 => 12\n/);
    });

    it("shows who changes the stack file, and refuses their approval", async () => {
        const path = "mcp:workloads.chat-ui.release";
        const release = [
            `${path}.version=v1.5.0`,
            `${path}.change-`,
            `${path}.change.version=v1.5.0`,
            `${path}.change.ticket=CHG-7`,
            `${path}.change.author=Ravi`,
            `${path}.change.approvers[0]=asha-rao`,
            `${path}.change.rollbackPlan=back`,
        ];
        const sides = [{ production: await snapshot() }, { production: await snapshot(...release) }] as const;
        const said = (author: string) =>
            renderText({
                base: "main",
                stacks: review(...sides, { production: { authors: [author], lost: [], uncommitted: [] } }),
                rules,
            });
        const own = said("Asha Rao <asha@example.com>");
        assert.match(own, /^Look closely: 1 release that is not approved/);
        assert.match(
            own,
            /Releases without approval:\n +production: chat-ui v1\.5\.0 is approved by asha-rao, an author of this change \(Asha Rao <asha@example\.com>\)\./,
        );
        assert.match(own, /Pulumi\.production\.yaml is changed by Asha Rao <asha@example\.com>$/m);
        const others = said("Ravi <ravi@example.com>");
        assert.doesNotMatch(others, /not approved/);
        assert.match(others, /chat-ui v1\.5\.0 comes with CHG-7 by Ravi, approved by asha-rao; /);
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
        assert.match(renderText(noBase), /^Look closely: production was not compared, no new findings, /);
    });

    it("treats a new stack as new", async () => {
        const [stack] = review({}, { production: await snapshot() });
        assert.ok(stack!.changes.every(({ operation }) => operation === "create" || operation === "read"));
        assert.deepEqual(stack!.workloads, []);
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

    /** Fails where a fold or a block of code stays open, or anything else is HTML. */
    function assertWellFormed(text: string): void {
        // The workflow that posts it adds some to the 65,536 that GitHub takes.
        assert.ok(text.length <= 61_440, String(text.length));
        assert.equal(Buffer.from(text).toString(), text, "a character is cut in two");
        assert.ok(text.startsWith(`${MARKER}\n## `));
        let [fences, folds] = [0, 0];
        for (const line of text.split("\n").slice(1)) {
            if (/^ {0,3}```/.test(line)) {
                fences += 1;
            } else if (fences % 2 === 0) {
                const tags = line.match(/<[^>]*>?/g) ?? [];
                folds += tags.filter((tag) => tag === "<details>").length;
                folds -= tags.filter((tag) => tag === "</details>").length;
                assert.ok(folds === 0 || folds === 1, line);
                assert.ok(
                    tags.every((tag) => /^<\/?(details|summary)>$/.test(tag)),
                    line,
                );
            }
        }
        assert.deepEqual([fences % 2, folds], [0, 0]);
    }

    const HOSTILE = "配置 🚀 é\u0301 ``` \n```\n</details> <img src=x> @everyone";

    it("stays within what GitHub takes and well-formed, with what is urgent first and the rest counted", async () => {
        const head = await snapshot();
        const template = head.recording.resources.at(-1)!;
        const copies = (type: string, number: number) =>
            Array.from({ length: number }, (_, index) => ({
                ...template,
                type,
                urn: `urn:pulumi:production::mcp::${type}::copy-${index}`,
                name: `copy-${index}-${HOSTILE}`,
            }));
        const found = (rule: string, number: number) =>
            Array.from({ length: number }, (_, index) => ({
                rule,
                urn: `urn:pulumi:production::mcp::type::${rule}-${index}`,
                kind: "violation" as const,
                message: HOSTILE.repeat(20),
            }));
        const mandatory = rules.find(({ enforcement }) => enforcement === "mandatory")!.name;
        const advisory = rules.find(({ enforcement }) => enforcement === "advisory")!.name;
        const base = {
            ...head,
            recording: {
                ...head.recording,
                resources: [...head.recording.resources, ...copies("aws:s3/bucket:Bucket", 100)],
            },
        };
        const grown = {
            ...head,
            recording: {
                ...head.recording,
                resources: [...head.recording.resources, ...copies("kubernetes:core/v1:ConfigMap", 3000)],
            },
            findings: [...head.findings, ...found(mandatory, 10), ...found(advisory, 2000)],
        };
        const stacks = ["production", "staging"].flatMap((stack) =>
            review({ [stack]: base }, { [stack]: grown }),
        );
        const text = renderMarkdown({ base: "main", stacks, rules });
        assertWellFormed(text);
        assert.ok(text.length > 56_000, "room is left");
        assert.match(
            text.split("\n")[1]!,
            /^## Refused: 4020 new findings, 200 stateful resources deleted or replaced, 6200 resources changed$/,
        );
        assert.match(text, /^This is too long for a comment: /m);
        const lists = new Map<string, number>();
        let title = "";
        for (const line of text.split("\n")) {
            title = /^(?:### |\*\*|<details><summary>)(.*?)(?:\*\*|<\/summary>)?$/.exec(line)?.[1] ?? title;
            const left = /… and (\d+) more of (\d+), left out here$/.exec(line);
            const [items, of] = left === null ? [1, 0] : [Number(left[1]), Number(left[2])];
            if (left !== null || /^(?: {2})?[-+!] /.test(line)) {
                lists.set(title, (lists.get(title) ?? 0) + items);
            }
            assert.ok(of === 0 || lists.get(title)! % of === 0, `${title}: ${lists.get(title)} of ${of}`);
        }
        assert.deepEqual(
            [...lists].filter(([name]) => /danger|New|Resources/.test(name)),
            [
                ["Data in danger:", 200],
                // With a line of the rule, and one of what to do.
                ["New violations of mandatory policies:", 22],
                ["New findings of advisory policies:", 4004],
                ["Resources", 6200],
            ],
        );
        // All of what is urgent is there.
        const [urgent] = text.split("### production");
        assert.doesNotMatch(urgent!, /left out here/);
    });

    it("leaves out by their count even deletions and mandatory findings, where there are too many", async () => {
        const { stacks } = await reviewed([], ["mcp:backups.bucket=another-bucket"]);
        const [stack] = stacks;
        const endangered = Array.from({ length: 5000 }, () => ({ ...stack!.endangered[0]!, refused: false }));
        const text = renderMarkdown({ base: "main", stacks: [{ ...stack!, endangered }], rules });
        assertWellFormed(text);
        assert.match(text, /^- … and \d+ more of 5000, left out here$/m);
        assert.match(text, /\*\*Access:\*\*\n\n- … and (\d+) more of \1, left out here/);
    });

    it("is well-formed whatever is quoted in it", async () => {
        const { stacks } = await reviewed([], [RELEASE]);
        const [stack] = stacks;
        const [template] = stack!.changes;
        const words = fc.oneof(
            fc.string({ unit: "binary", maxLength: 300 }),
            fc.constantFrom(HOSTILE, "x".repeat(70_000), "\r```\r</details>", "🚀".repeat(2000)),
        );
        const lists = fc.array(words, { maxLength: 200 });
        fc.assert(
            fc.property(
                lists,
                lists,
                lists,
                fc.integer({ min: 1, max: 30 }),
                (names, values, lines, number) => {
                    const changes = names.map((name) => ({
                        ...template!,
                        resource: { ...template!.resource, name },
                        properties: values.map((after) => ({ path: name, before: undefined, after })),
                    }));
                    const grown = {
                        ...stack!,
                        problems: lines[0] === undefined ? {} : { head: lines[0] },
                        endangered: changes,
                        workloads: lines,
                        edits: values.map((path) => ({
                            path,
                            before: undefined,
                            after: path,
                            procedure: undefined,
                        })),
                        changes,
                    };
                    assertWellFormed(
                        renderMarkdown({
                            base: names[0] ?? "main",
                            stacks: Array.from({ length: number }, () => grown),
                            rules,
                        }),
                    );
                },
            ),
            PROPERTY_RUNS,
        );
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
        assert.equal(artifactLocation.uri, "components/workload/autoscaler.ts");
        assert.ok(region.startLine > 1);
        assert.deepEqual(
            tool.driver.rules.map(({ id }: { id: string }) => id),
            ["kubernetes-autoscaler-require-minimum"],
        );
        const [again] = run(renderSarif(await reviewed([TOO_FEW], [TOO_FEW, RELEASE]))).results;
        assert.deepEqual(again.partialFingerprints, partialFingerprints);
        assert.equal(again.baselineState, "unchanged");
    });

    it("has each violation on a line that the pull request changes, where there is one", async () => {
        const result = await reviewed([], [TOO_FEW]);
        const placed = (...files: NonNullable<Review["files"]>[number][]) => {
            const [{ locations }] = JSON.parse(renderSarif({ ...result, files })).runs[0].results;
            const { artifactLocation, region } = locations[0].physicalLocation;
            return `${artifactLocation.uri}:${region.startLine}`;
        };
        const changed = (path: string, ...lines: number[]) => ({ path, isNew: false, lines });
        const [file, line] = placed().split(":");
        assert.equal(placed(changed("Pulumi.production.yaml", 70)), "Pulumi.production.yaml:70");
        assert.equal(placed(changed("Pulumi.staging.yaml", 70)), `${file}:${line}`);
        assert.equal(placed(changed(file!, 1, 2)), `${file}:1`);
        assert.equal(
            placed(changed("Pulumi.production.yaml", 70), changed(file!, 1, +line!)),
            `${file}:${line}`,
        );
    });
});

describe("an exported stack", () => {
    /* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
    /** What the engine would have in its state after an update to the recording. */
    const stateOf = ({ recording }: StackSnapshot) => ({
        version: 3,
        deployment: {
            resources: (
                JSON.parse(writeSnapshot({ stacks: { production: { recording, findings: [], values: {} } } }))
                    .stacks.production.recording.resources as Record<string, any>[]
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
        assert.equal(stack!.workloads[0], "chat-ui goes from v1.4.2 to v1.5.0; gates: evidence, smoke.");
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
