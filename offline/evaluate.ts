import { ExceptionFilter, NO_EXCEPTIONS } from "../policies/exceptions";
import { defaultTagsOf, type Violation, evaluate, type PolicyResource, type Rule } from "../policies/rule";
import { trapUnknowns, type Properties } from "../policies/unknown";
import { isObject, type Property, Secret } from "./property";
import { type RecordedResource, type Recording } from "./record";

/**
 * All findings of the rules on a recording, by resource and rule, with exemptions applied, and the problems of the
 * exemptions.
 */
export function judgeRecording(
    { stack, resources }: Recording,
    rules: readonly Rule[],
    now = new Date(),
    exceptions = NO_EXCEPTIONS,
): Violation[] {
    const acceptance = new ExceptionFilter(exceptions);
    // Resources that are only looked up are managed elsewhere.
    const tags = new Map(
        resources
            .filter(({ type }) => type === "pulumi:providers:aws")
            .map(({ urn, inputs }) => [urn, defaultTagsOf(plain(inputs) as Properties)]),
    );
    const judged = resources
        .filter(({ custom, read }) => custom && !read)
        .map((resource) => asPolicyResource(resource, tags.get(resource.provider)));
    const findings = rules
        .flatMap((rule) => evaluate(rule, judged, now))
        .map((finding) => acceptance.of(finding, now));
    return [...findings, ...acceptance.faults(stack, now)].sort(
        (one, other) => compare(one.urn, other.urn) || compare(one.rule, other.rule),
    );
}

function asPolicyResource(
    { urn, type, name, inputs, options, propertyDependencies }: RecordedResource,
    defaultTags: Properties = {},
): PolicyResource {
    return {
        urn,
        type,
        name,
        props: trapUnknowns(plain(inputs) as Properties),
        defaultTags,
        protect: options.protect === true,
        customTimeouts: options.customTimeouts ?? {},
        propertyDependencies,
    };
}

/** A property as the engine passes it to a policy: secrets are plain. */
function plain(property: Property): unknown {
    if (property instanceof Secret) {
        return plain(property.value);
    }
    if (Array.isArray(property)) {
        return property.map(plain);
    }
    return isObject(property)
        ? Object.fromEntries(Object.entries(property).map(([key, inner]) => [key, plain(inner)]))
        : property;
}

/** By code unit, independent of the locale. */
function compare(one: string, other: string): number {
    return one < other ? -1 : one > other ? 1 : 0;
}
