import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { TIER_TAG } from "../../core/labels";
import { evaluate, type PolicyResource } from "../../policies/rule";
import { rules } from "../../policies/rules";
import { trapUnknowns, UNKNOWN } from "../../policies/unknown";
import { ACCESS_CASES } from "./accessCases";
import { AWS_CASES } from "./awsCases";
import { edited } from "./edit";
import { KUBERNETES_CASES } from "./kubernetesCases";
import { SOUND } from "./compliantStack";

/** When the stacks are judged. */
const NOW = new Date("2026-11-23T12:00:00Z");

const CASES = { ...KUBERNETES_CASES, ...AWS_CASES };
for (const [rule, cases] of Object.entries(ACCESS_CASES)) {
    CASES[rule] = [...(CASES[rule] ?? []), ...cases];
}

describe("policy rules", () => {
    const files = readdirSync(resolve(__dirname, "../../policies/rules")).filter(
        (file) => file !== "index.ts",
    );

    it("are all in the list, once", () => {
        const names = rules.map(({ name }) => name);
        assert.deepEqual([...names].sort(), files.map((file) => file.replace(/\.ts$/, "")).sort());
        assert.equal(new Set(names).size, names.length);
    });

    for (const { name, ...rule } of rules) {
        it(`${name} says what must hold and what to do`, () => {
            assert.match(name, /^(kubernetes|aws)-[a-z0-9-]+$/);
            assert.match(rule.description, /^[A-Z].*\.$/);
            assert.match(rule.remediation, /^[A-Z].*\.$/);
            // Both are in the cells of a Markdown table.
            assert.doesNotMatch(rule.description + rule.remediation, /[|<>\n]/);
            assert.ok(["low", "medium", "high", "critical"].includes(rule.severity));
            assert.ok(["mandatory", "advisory"].includes(rule.enforcement));
            for (const framework of rule.frameworks) {
                assert.match(
                    framework,
                    /^(CKV2?_(AWS|K8S)_\d+|AwsSolutions-[A-Z]+\d+|CIS-(AWS-5\.0|EKS)-[\d.]+|PSS-(restricted|baseline)|kube-(linter|score):[a-z-]+)$/,
                );
            }
            assert.notEqual(rule.resource === undefined, rule.stack === undefined);
        });
    }

    it("of the runbook name its section", () => {
        const sections = rules.flatMap(({ name, runbook }) =>
            runbook === undefined ? [] : [[name, runbook]],
        );
        assert.deepEqual(Object.fromEntries(sections), {
            "kubernetes-pod-require-liveness-path": "2.1",
            "kubernetes-pod-require-readiness-path": "2.1",
            "kubernetes-deployment-require-progress-deadline": "3.2 step 2",
            "kubernetes-deployment-require-rollout-timeout": "3.2 step 2",
            "kubernetes-ingress-disallow-expiring-certificate": "5.4",
            "kubernetes-cronjob-require-time-zone": "5.1",
            "aws-rds-instance-require-maintenance-window": "5.1",
            "aws-rds-instance-require-backup": "7.1",
            "aws-rds-instance-require-dumps": "7.1",
            "kubernetes-namespace-require-backup": "7.1",
            "aws-elasticache-replication-group-require-snapshots": "7.1",
            "aws-elasticache-replication-group-require-snapshot-retention": "7.1",
            "aws-s3-bucket-require-compliance-lock": "7.1",
            "aws-s3-bucket-disallow-early-expiry": "7.1",
            "aws-cloudwatch-log-group-require-retention": "5.3",
            "aws-cloudwatch-alarm-require-error-rate": "4.3.1",
            "aws-cloudwatch-alarm-require-severity": "4.1",
            "aws-sns-topic-require-severity": "4.1",
            "aws-scheduler-schedule-require-time-zone": "5.1",
            "aws-backup-plan-require-retention": "7.1",
        });
    });

    for (const rule of rules) {
        const cases = CASES[rule.name] ?? [];
        const found = (changes: Record<string, unknown>) =>
            evaluate(rule, stack(changes), NOW).map(
                ({ kind, urn, message }) =>
                    `${kind === "undetermined" ? "? " : ""}${urn.split("::").at(-1)}: ${message}`,
            );

        describe(rule.name, () => {
            it("finds nothing in a sound stack", () => assert.deepEqual(found({}), []));

            it("is seen to find something, and to be undetermined", () => {
                const findings = cases.flatMap(([, expected = []]) => expected);
                assert.ok(findings.some((finding) => !finding.startsWith("?")));
                assert.ok(findings.some((finding) => finding.startsWith("?")));
            });

            for (const [changes, expected = []] of cases) {
                it(`${titleOf(changes)} → ${expected.join(", ") || "nothing"}`, () =>
                    assert.deepEqual(found(changes), expected));
            }
        });
    }
});

function stack(changes: Record<string, unknown>): PolicyResource[] {
    let resources: unknown = SOUND;
    for (const [path, value] of Object.entries(changes)) {
        resources = edited(resources, path, value);
    }
    const all = resources as typeof SOUND;
    const urnOf = (name: string) => {
        // What a property was made of may be gone.
        const { type } = (all[name] ?? SOUND[name])!;
        return `urn:pulumi:production::mcp::${type}::${name}`;
    };
    return Object.entries(all).map(
        ([name, { type, props, tier, customTimeouts = {}, protect = false, from = {} }]) => ({
            urn: urnOf(name),
            type,
            name,
            props: trapUnknowns(props),
            defaultTags: tier === undefined ? {} : { [TIER_TAG]: tier },
            protect,
            customTimeouts,
            propertyDependencies: Object.fromEntries(
                Object.entries(from).map(([property, names]) => [property, names.map(urnOf)]),
            ),
        }),
    );
}

function titleOf(changes: Record<string, unknown>): string {
    const shown = (value: unknown) =>
        JSON.stringify(value, (_, inner: unknown) => (inner === UNKNOWN ? "unknown" : inner)) ?? "removed";
    return Object.entries(changes)
        .map(([path, value]) => `${path.replace(/ (props|spec|template)(?= )/g, "")} = ${shown(value)}`)
        .join(", ")
        .replace(/^(.{140}).+$/, "$1…");
}
