import { type Policies, type PolicyResource as EngineResource } from "@pulumi/policy";
import { type Finding, judge, type PolicyResource, type Rule } from "./rule";
import { guarded, type Properties, UNKNOWN } from "./unknown";

/** The part that the engine's resource and stack rules have in common. */
type Judged = Pick<EngineResource, "urn" | "type" | "name" | "props" | "opts"> &
    Partial<Pick<EngineResource, "propertyDependencies">>;

/**
 * The rules as the engine takes them. It would turn an unknown into an advisory "can't run" of the rule, so that
 * a mandatory gate passed in silence: here two policies of their own report what is undetermined. The time they
 * judge at is that of each call, unless it is given.
 */
export function enginePolicies(rules: readonly Rule[], now?: Date): Policies {
    const findings = (some: readonly Rule[], resources: readonly Judged[], kind: Finding["kind"]) => {
        const judged = resources.map(fromEngine);
        return some.flatMap((rule) => judge(rule, judged, now)).filter((finding) => finding.kind === kind);
    };
    const policies: Policies = rules.map((rule) => {
        const policy = {
            name: rule.name,
            description: rule.description,
            enforcementLevel: rule.enforcement,
            severity: rule.severity,
            remediationSteps: rule.remediation,
            tags: [...rule.frameworks],
        };
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
    return [
        ...policies,
        {
            name: "undetermined-resource",
            description:
                "Names the rules that could not be judged because a value is known only after the update.",
            enforcementLevel: "advisory",
            validateResource: (args, report) => {
                for (const { rule, message } of findings(resourceRules, [args], "undetermined")) {
                    report(`${rule}: ${message}`);
                }
            },
        },
        {
            name: "undetermined-stack",
            description: "The same for the rules that judge the resources of the stack together.",
            enforcementLevel: "advisory",
            validateStack: (args, report) => {
                for (const { rule, message, urn } of findings(stackRules, args.resources, "undetermined")) {
                    report(`${rule}: ${message}`, urn);
                }
            },
        },
    ];
}

function fromEngine({ urn, type, name, props, opts, propertyDependencies = {} }: Judged): PolicyResource {
    const { createSeconds, updateSeconds } = opts.customTimeouts;
    return {
        urn,
        type,
        name,
        props: guarded(detached(props) as Properties),
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

/** A copy without the engine's proxies, which throw wherever a value is unknown; the mark takes its place. */
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
