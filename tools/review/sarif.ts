import { createHash } from "node:crypto";
import { type Finding, type Rule, type RuleSeverity } from "../../policies/rule";
import { type Review, type StackReview } from "./review";

/** How code scanning ranks a severity, from 0 to 10. */
const SECURITY_SEVERITY: Record<RuleSeverity, string> = {
    low: "2.0",
    medium: "5.0",
    high: "8.0",
    critical: "9.5",
};

/**
 * The violations of the head as SARIF 2.1.0, each where the program declares the resource; those the base has too are
 * marked as unchanged. Fingerprints are made of stack, rule and resource, so that a line that moves is no new alert.
 */
export function renderSarif({ stacks, rules }: Review): string {
    const results = stacks.flatMap((stack) => [
        ...stack.findings.fresh.map((finding) => result(stack, finding, rules, "new")),
        ...stack.findings.existing.map((finding) => result(stack, finding, rules, "unchanged")),
    ]);
    const used = rules.filter(({ name }) => results.some(({ ruleId }) => ruleId === name));
    const log = {
        $schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [
            {
                tool: { driver: { name: "mcp-platform", rules: used.map(descriptor) } },
                columnKind: "utf16CodeUnits",
                results,
            },
        ],
    };
    return `${JSON.stringify(log, undefined, 2)}\n`;
}

function descriptor({ name, description, remediation, severity, enforcement, frameworks, runbook }: Rule) {
    const tags = [...frameworks, ...(runbook === undefined ? [] : [`runbook ${runbook}`])];
    return {
        id: name,
        shortDescription: { text: description },
        help: { text: remediation },
        defaultConfiguration: { level: enforcement === "mandatory" ? "error" : "warning" },
        properties: { tags, "security-severity": SECURITY_SEVERITY[severity] },
    };
}

function result(
    { stack, sources }: StackReview,
    { rule: ruleId, urn, message }: Finding,
    rules: readonly Rule[],
    baselineState: "new" | "unchanged",
) {
    const source = sources.get(urn);
    const rule = rules.find(({ name }) => name === ruleId);
    return {
        ruleId,
        level: rule?.enforcement === "mandatory" ? "error" : "warning",
        message: { text: `${urn.split("::").slice(2).join(" ") || stack}: ${message}` },
        locations: [
            {
                physicalLocation: {
                    // What no line declares is the stack's own: its values made it so.
                    artifactLocation: { uri: source?.file ?? `Pulumi.${stack}.yaml` },
                    region: { startLine: source?.line ?? 1 },
                },
                logicalLocations: [{ fullyQualifiedName: urn, kind: "resource" }],
            },
        ],
        partialFingerprints: {
            "mcpFinding/v1": createHash("sha256").update(`${stack}\n${ruleId}\n${urn}`).digest("hex"),
        },
        baselineState,
    };
}
