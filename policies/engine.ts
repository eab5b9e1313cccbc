import { type Policies, type PolicyResource as EngineResource } from "@pulumi/policy";
import { ExceptionFilter, type Exceptions, exceptionsRule, NO_EXCEPTIONS } from "./exceptions";
import { defaultTagsOf, type Violation, evaluate, type PolicyResource, type Rule, stackOf } from "./rule";
import { trapUnknowns, type Properties, UNKNOWN } from "./unknown";

/** Common properties of the engine's resource and stack rules. */
type Judged = Pick<EngineResource, "urn" | "type" | "name" | "props" | "opts" | "provider"> &
    Partial<Pick<EngineResource, "propertyDependencies">>;

/** Inputs of the evaluation besides the rules. */
export interface EngineOptions {
    /** Default: none. */
    exceptions?: Exceptions;
    /** Default: the time of each call. */
    now?: Date;
}

/**
 * The rules as policies of the engine. The engine would turn an unknown value into an advisory "can't run" of the rule,
 * so that a mandatory gate would pass silently: additional policies report undetermined rules and exempted violations.
 */
export function enginePolicies(
    rules: readonly Rule[],
    { exceptions = NO_EXCEPTIONS, now }: EngineOptions = {},
): Policies {
    const acceptance = new ExceptionFilter(exceptions);
    const findings = (some: readonly Rule[], resources: readonly Judged[], kind: Violation["kind"]) => {
        const judged = resources.map(fromEngine);
        const at = now ?? new Date();
        return some
            .flatMap((rule) => evaluate(rule, judged, at))
            .map((finding) => acceptance.of(finding, at))
            .filter((finding) => finding.kind === kind);
    };
    const policies: Policies = rules.map((rule) => {
        const policy = asEngines(rule);
        return rule.resource !== undefined
            ? {
                  ...policy,
                  validateResource: (args, report) => {
                      for (const { message } of findings([rule], [args], "violation")) {
                          report(message);
                      }
                  },
              }
            : {
                  ...policy,
                  validateStack: (args, report) => {
                      for (const { message, urn } of findings([rule], args.resources, "violation")) {
                          report(message, urn);
                      }
                  },
              };
    });
    const resourceRules = rules.filter(({ resource }) => resource !== undefined);
    const stackRules = rules.filter(({ stack }) => stack !== undefined);
    const told = (kind: "undetermined" | "suppressed", description: string): Policies => [
        {
            name: `${kind}-resource`,
            description,
            enforcementLevel: "advisory",
            validateResource: (args, report) => {
                for (const { rule, message } of findings(resourceRules, [args], kind)) {
                    report(`${rule}: ${message}`);
                }
            },
        },
        {
            name: `${kind}-stack`,
            description: `${description} Covers the rules that evaluate the stack's resources together.`,
            enforcementLevel: "advisory",
            validateStack: (args, report) => {
                for (const { rule, message, urn } of findings(stackRules, args.resources, kind)) {
                    report(`${rule}: ${message}`, urn);
                }
            },
        },
    ];
    return [
        ...policies,
        ...told("undetermined", "Rules that could not be evaluated: a value is known only after the update."),
        ...told("suppressed", "Violations that an exception accepts for a time."),
        // The last policy: all findings exist by then.
        {
            ...asEngines(exceptionsRule),
            validateStack: ({ resources }, report) => {
                const stack = stackOf(resources[0]?.urn ?? "");
                for (const { message } of acceptance.faults(stack, now ?? new Date())) {
                    report(message);
                }
            },
        },
    ];
}

/** Metadata of a rule in the engine's format. */
function asEngines({ name, description, enforcement, severity, remediation, frameworks }: Rule) {
    return {
        name,
        description,
        enforcementLevel: enforcement,
        severity,
        remediationSteps: remediation,
        tags: [...frameworks],
    };
}

function fromEngine({
    urn,
    type,
    name,
    props,
    opts,
    provider,
    propertyDependencies = {},
}: Judged): PolicyResource {
    const { createSeconds, updateSeconds } = opts.customTimeouts;
    return {
        urn,
        type,
        name,
        props: trapUnknowns(detached(props) as Properties),
        defaultTags: defaultTagsOf(provider && (detached(provider.props) as Properties)),
        protect: opts.protect,
        customTimeouts: {
            ...(createSeconds > 0 ? { create: `${createSeconds}s` } : {}),
            ...(updateSeconds > 0 ? { update: `${updateSeconds}s` } : {}),
        },
        propertyDependencies: Object.fromEntries(
            Object.entries(propertyDependencies).map(([property, sources]) => [
                property,
                sources.map((source) => source.urn),
            ]),
        ),
    };
}

/** A copy without the engine's proxies, which throw on unknown values; a mark replaces them. */
function detached(value: unknown): unknown {
    if (typeof value !== "object" || value === null) {
        return value;
    }
    const copy: Properties = Array.isArray(value) ? [] : {};
    for (const key of Object.keys(value)) {
        let inner: unknown;
        try {
            inner = (value as Properties)[key];
        } catch {
            inner = UNKNOWN;
        }
        copy[key] = inner === UNKNOWN ? UNKNOWN : detached(inner);
    }
    return copy;
}
