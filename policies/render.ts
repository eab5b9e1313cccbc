import { EXCEPTIONS_FILE, exceptionsRule } from "./exceptions";
import { type Rule } from "./rule";

/** The pack's rules as a page (docs/policies.md). */
export function renderPolicies(rules: readonly Rule[]): string {
    const rows = [...rules, exceptionsRule]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, description, severity, enforcement, exceptions, frameworks, remediation, runbook }) =>
            [
                `\`${name}\``,
                description,
                severity,
                enforcement,
                name === exceptionsRule.name || exceptions === "none" ? "none" : "until they expire",
                runbook ?? "",
                frameworks.join(", "),
                remediation,
            ].join(" | "),
        );
    return [
        "# Policies",
        "",
        "Generated from `policies/rules` by `npm run docs`. A mandatory rule stops the update, an advisory one is shown.",
        "If a rule needs a value that is known only after the update, it is reported as undetermined, never as " +
            "passed. New",
        "resources have no ARNs yet: a reference is followed by the resources that the value depends on.",
        "",
        `A violation can be accepted for a time, by an entry of \`${EXCEPTIONS_FILE}\` that names its rule, stack, resource,`,
        "reason, owner, ticket and last day. It is shown as suppressed, with all of that. An entry that is malformed, has",
        "expired or covers nothing is reported. To ignore all exemptions:",
        "`npm run preview -- --ignore-exceptions`, or `MCP_IGNORE_EXCEPTIONS=true` for the engine.",
        "",
        "| Rule | What must hold | Severity | Enforcement | Exceptions | Runbook | Elsewhere | What to do |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ...rows.map((row) => `| ${row} |`),
        "",
    ].join("\n");
}
