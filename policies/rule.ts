import { type Exception } from "./exception";
import { orElse, type Properties } from "./unknown";

/** How bad a violation is. */
export type RuleSeverity = "low" | "medium" | "high" | "critical";

/** What a rule sees of a resource. */
export interface PolicyResource {
    readonly urn: string;
    readonly type: string;
    readonly name: string;
    /** Inputs; secrets are plain in here, so no message may quote a value it does not know. */
    readonly props: Properties;
    /** Tags that its provider adds to its own. */
    readonly defaultTags: Properties;
    readonly protect: boolean;
    readonly customTimeouts: { readonly create?: string; readonly update?: string };
    /**
     * URNs of the resources that each property is made of: they tell where an unknown leads. The engine shows them to
     * stack rules alone.
     */
    readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
}

/** The default tags of an AWS provider, which hands its configuration over as JSON. */
export function defaultTagsOf(provider: Properties | undefined): Properties {
    const found: unknown = provider?.["defaultTags"];
    const { tags } = (typeof found === "string" ? JSON.parse(found) : (found ?? {})) as Properties;
    return tags ?? {};
}

/** The stack that a URN is of. */
export function stackOf(urn: string): string {
    return urn.split(":")[2] ?? "";
}

/** What a rule says about a resource. */
export interface RuleResult {
    /** The time of judging, the only clock a rule goes by. */
    readonly now: Date;
    /** Says what is wrong, on the resource under check or, in a stack rule, on the one named. */
    report(message: string, on?: PolicyResource): void;
    /**
     * Runs a part of the check of its own: a value unknown in there leaves only that part undetermined, on the
     * resource under check or the one named.
     */
    attempt(part: () => void, on?: PolicyResource): void;
}

/** One policy rule. Its name follows provider-service-type-verb-what. */
export interface Rule {
    readonly name: string;
    /** What must hold, in one sentence. */
    readonly description: string;
    readonly severity: RuleSeverity;
    /** A mandatory rule's violation stops the update, an advisory one's is shown. */
    readonly enforcement: "mandatory" | "advisory";
    /** Set where no exception may suppress a violation. */
    readonly exceptions?: "none";
    /** Identifiers of the same rule in other tools and benchmarks. */
    readonly frameworks: readonly string[];
    /** What to do about a violation. */
    readonly remediation: string;
    /** Section of the runbook whose number or procedure the rule guards. */
    readonly runbook?: string;
    /** Judges one resource, whatever its type: not applicable is silence. */
    readonly resource?: (resource: PolicyResource, verdict: RuleResult) => void;
    /** Judges the resources of the stack together. */
    readonly stack?: (resources: readonly PolicyResource[], verdict: RuleResult) => void;
}

/** What came of a rule on a resource. */
export interface Violation {
    readonly rule: string;
    /** URN of the resource; empty for the stack as a whole. */
    readonly urn: string;
    /** Suppressed is a violation that an exception accepts. */
    readonly kind: "violation" | "undetermined" | "suppressed";
    readonly message: string;
    /** The exception, where it is suppressed. */
    readonly exception?: Exception;
}

/** Everything a rule finds in the resources: violations, and where it could not tell. */
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
