import { createHash } from "node:crypto";
import { type Violation, type Rule, type RuleSeverity } from "../../policies/rule";
import { type ChangedFile } from "./baseCheckout";
import { lineOf } from "./report";
import { type Review, type StackReview } from "./review";

/** How code scanning ranks a severity, from 0 to 10. */
const SECURITY_SEVERITY: Record<RuleSeverity, string> = {
    low: "2.0",
    medium: "5.0",
    high: "8.0",
    critical: "9.5",
};

/** Of the review itself: it needs both sides, which no policy sees. */
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
 * What a reviewer must see of the head as SARIF 2.1.0: data in danger first, then the violations, those the base has too
 * marked as unchanged. Each is where the program declares the resource. Fingerprints are made of stack, rule and
 * resource, so that a line that moves is no new alert.
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
        // The name under which code scanning looks for it.
        partialFingerprints: {
            primaryLocationLineHash: createHash("sha256").update(`${stack}\n${ruleId}\n${urn}`).digest("hex"),
        },
        baselineState,
    };
}

/**
 * Where a finding is shown. GitHub shows those of a pull request on lines that it changes only: the line that declares the
 * resource, else the first change of the stack's file, else the first of the declaring file, else where it is declared.
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
    // What no line declares is the stack's own: its values made it so.
    return source ?? { file: stackFile, line: 1 };
}
