import { createHash } from "node:crypto";
import { type Violation, type Rule, type RuleSeverity } from "../../policies/rule";
import { type ChangedFile } from "./baseCheckout";
import { lineOf } from "./report";
import { type Review, type StackReview } from "./review";

/** Score of a severity in code scanning, from 0 to 10. */
const SECURITY_SEVERITY: Record<RuleSeverity, string> = {
    low: "2.0",
    medium: "5.0",
    high: "8.0",
    critical: "9.5",
};

/** A rule of the review itself, which compares both sides. */
const DATA_IN_DANGER: Rule = {
    name: "data-in-danger",
    description: "What holds data is deleted or replaced.",
    remediation:
        "Ask what becomes of the data, and whether the change is meant to be two updates. If it is meant, dismiss the alert.",
    severity: "high",
    enforcement: "advisory",
    frameworks: [],
};

/**
 * Findings of the head as SARIF 2.1.0: dangers to data first, then violations, with those of the base marked as
 * unchanged. Each is located where the program declares the resource. Fingerprints consist of stack, rule and resource,
 * so that a moved line is no new alert.
 */
export function renderSarif({ stacks, rules: policies, files = [] }: Review): string {
    const rules = [DATA_IN_DANGER, ...policies];
    const results = [
        ...stacks.flatMap((stack) =>
            stack.endangered.map((change) => {
                const finding = {
                    rule: DATA_IN_DANGER.name,
                    urn: change.resource.urn,
                    message: lineOf(change),
                };
                return result(stack, finding, rules, files, "new");
            }),
        ),
        ...stacks.flatMap((stack) => [
            ...stack.findings.fresh.map((finding) => result(stack, finding, rules, files, "new")),
            ...stack.findings.existing.map((finding) => result(stack, finding, rules, files, "unchanged")),
        ]),
    ];
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
    { rule: ruleId, urn, message }: Pick<Violation, "rule" | "urn" | "message">,
    rules: readonly Rule[],
    files: readonly ChangedFile[],
    baselineState: "new" | "unchanged",
) {
    const { file, line } = placeOf(stack, sources.get(urn), files);
    const rule = rules.find(({ name }) => name === ruleId);
    return {
        ruleId,
        level: rule?.enforcement === "mandatory" ? "error" : "warning",
        message: { text: `${urn.split("::").slice(2).join(" ") || stack}: ${message}` },
        locations: [
            {
                physicalLocation: {
                    artifactLocation: { uri: file },
                    region: { startLine: line },
                },
                logicalLocations: [{ fullyQualifiedName: urn, kind: "resource" }],
            },
        ],
        // The file name that code scanning expects.
        partialFingerprints: {
            primaryLocationLineHash: createHash("sha256").update(`${stack}\n${ruleId}\n${urn}`).digest("hex"),
        },
        baselineState,
    };
}

/**
 * Location of a finding. GitHub shows findings of a pull request only on changed lines: the declaring line, otherwise
 * the first change of the stack's file, otherwise of the declaring file, otherwise the declaration.
 */
function placeOf(
    stack: string,
    source: { file: string; line: number } | undefined,
    files: readonly ChangedFile[],
): { file: string; line: number } {
    const stackFile = `Pulumi.${stack}.yaml`;
    const linesOf = (file: string | undefined) => files.find(({ path }) => path === file)?.lines ?? [];
    if (source !== undefined && linesOf(source.file).includes(source.line)) {
        return source;
    }
    for (const file of [stackFile, source?.file]) {
        const [line] = linesOf(file);
        if (file !== undefined && line !== undefined) {
            return { file, line };
        }
    }
    // Without a declaring line, the stack's values are the cause.
    return source ?? { file: stackFile, line: 1 };
}
