import { type Rule } from "./rule";

/** The pack's rules as a page (docs/policies.md). */
export function renderPolicies(rules: readonly Rule[]): string {
    const rows = [...rules]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, description, severity, enforcement, frameworks, remediation, runbook }) =>
            [
                `\`${name}\``,
                description,
                severity,
                enforcement,
                runbook ?? "",
                frameworks.join(", "),
                remediation,
            ].join(" | "),
        );
    return [
        "# Policies",
        "",
        "Generated from `policies/rules` by `npm run docs`. A mandatory rule stops the update, an advisory one is shown.",
        "A rule that meets a value known only after the update is reported as undetermined, never as passed.",
        "",
        "| Rule | What must hold | Severity | Enforcement | Runbook | Elsewhere | What to do |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        ...rows.map((row) => `| ${row} |`),
        "",
    ].join("\n");
}
