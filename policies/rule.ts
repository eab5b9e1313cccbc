import { type Exception } from "./exception";
import { orElse, type Properties } from "./unknown";

/** Severity of a violation. */
export type RuleSeverity = "low" | "medium" | "high" | "critical";

/** A resource as a rule sees it. */
export interface PolicyResource {
    readonly urn: string;
    readonly type: string;
    readonly name: string;
    /** Inputs with plain secrets: a message may quote known values only. */
    readonly props: Properties;
    /** Default tags of its provider. */
    readonly defaultTags: Properties;
    readonly protect: boolean;
    readonly customTimeouts: { readonly create?: string; readonly update?: string };
    /**
     * URNs of the resources that each property depends on, which identify the target of an unknown reference. The
     * engine passes them to stack rules only.
     */
    readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
}

/** The default tags of an AWS provider, whose configuration is JSON. */
export function defaultTagsOf(provider: Properties | undefined): Properties {
    const found: unknown = provider?.["defaultTags"];
    const { tags } = (typeof found === "string" ? JSON.parse(found) : (found ?? {})) as Properties;
    return tags ?? {};
}

/** The stack of a URN. */
export function stackOf(urn: string): string {
    return urn.split(":")[2] ?? "";
}

/** Reporting functions of a rule. */
export interface RuleResult {
    /** Time of the evaluation, the only clock that a rule uses. */
    readonly now: Date;
    /** Reports a violation, on the checked resource or, in a stack rule, on the named one. */
    report(message: string, on?: PolicyResource): void;
    /**
     * Runs a part of the check separately: an unknown value in it makes only that part undetermined, on the checked
     * resource or the named one.
     */
    attempt(part: () => void, on?: PolicyResource): void;
}

/** One policy rule. Its name follows provider-service-type-verb-what. */
export interface Rule {
    readonly name: string;
    /** What must hold, in one sentence. */
    readonly description: string;
    readonly severity: RuleSeverity;
    /** A violation of a mandatory rule blocks the update; of an advisory rule, it is only shown. */
    readonly enforcement: "mandatory" | "advisory";
    /** Set if no exemption may suppress a violation. */
    readonly exceptions?: "none";
    /** Identifiers of the same rule in other tools and benchmarks. */
    readonly frameworks: readonly string[];
    /** What to do about a violation. */
    readonly remediation: string;
    /** Section of the runbook that the rule enforces. */
    readonly runbook?: string;
    /** Checks one resource. Does nothing for other types. */
    readonly resource?: (resource: PolicyResource, verdict: RuleResult) => void;
    /** Checks the resources of the stack together. */
    readonly stack?: (resources: readonly PolicyResource[], verdict: RuleResult) => void;
}

/** Result of a rule on a resource. */
export interface Violation {
    readonly rule: string;
    /** URN of the resource; empty for the stack as a whole. */
    readonly urn: string;
    /** A suppressed violation is covered by an exemption. */
    readonly kind: "violation" | "undetermined" | "suppressed";
    readonly message: string;
    /** The exemption, if it is suppressed. */
    readonly exception?: Exception;
}

/** All violations of a rule in the resources, and where it was undetermined. */
export function evaluate(rule: Rule, resources: readonly PolicyResource[], now = new Date()): Violation[] {
    const findings: Violation[] = [];
    const add = (kind: Violation["kind"], urn: string, message: string) => {
        findings.push({ rule: rule.name, urn, kind, message });
    };
    const verdictOn = (subject?: PolicyResource): RuleResult => ({
        now,
        report: (message, on = subject) => add("violation", on?.urn ?? "", message),
        attempt(part, on = subject) {
            orElse(part, ({ message }) => add("undetermined", on?.urn ?? "", message));
        },
    });
    for (const resource of rule.resource ? resources : []) {
        const verdict = verdictOn(resource);
        verdict.attempt(() => rule.resource!(resource, verdict));
    }
    if (rule.stack) {
        const verdict = verdictOn();
        verdict.attempt(() => rule.stack!(resources, verdict));
    }
    return findings;
}
