import { type Tier, TIER_LABEL, TIER_TAG } from "../core/labels";
import { podOf } from "./pods";
import { type PolicyResource, type Rule, type RuleResult } from "./rule";
import { asList } from "./statements";
import { orElse, type Properties, Undetermined } from "./unknown";

/** A check of each selected resource, with the stack's other resources. It reports on that resource. */
export function eachOf(
    chosen: (resource: PolicyResource) => boolean,
    check: (resource: PolicyResource, resources: readonly PolicyResource[], verdict: RuleResult) => void,
): NonNullable<Rule["stack"]> {
    return (resources, verdict) => {
        for (const resource of resources.filter(chosen)) {
            const own: RuleResult = {
                now: verdict.now,
                report: (message, on = resource) => verdict.report(message, on),
                attempt: (part, on = resource) => verdict.attempt(part, on),
            };
            own.attempt(() => check(resource, resources, own));
        }
    };
}

/** The first item that passes. Unknown values of an item matter only if no other passes. */
export function findOf<T>(items: readonly T[], passes: (item: T) => boolean): T | undefined {
    let unknown: Undetermined | undefined;
    for (const item of items) {
        const found = orElse(
            () => passes(item),
            (error) => {
                unknown ??= error;
                return false;
            },
        );
        if (found) {
            return item;
        }
    }
    if (unknown !== undefined) {
        throw unknown;
    }
    return undefined;
}

/** Whether an object's selector selects the pods of a resource in its namespace; no selector selects none. */
export function selects(
    by: PolicyResource,
    selector: Properties | null | undefined,
    resource: PolicyResource,
): boolean {
    const pod = podOf(resource);
    return (
        pod !== undefined &&
        selector != null &&
        sameNamespace(by, resource) &&
        covers(selector, pod.metadata["labels"] ?? {})
    );
}

/** Whether an autoscaler scales a resource. */
export function scales(autoscaler: PolicyResource, resource: PolicyResource): boolean {
    const target = autoscaler.props["spec"]?.scaleTargetRef;
    return (
        resource.type.endsWith(`:${target?.kind}`) &&
        sameNamespace(autoscaler, resource) &&
        target.name === resource.props["metadata"]?.name
    );
}

function sameNamespace(one: PolicyResource, other: PolicyResource): boolean {
    return one.props["metadata"]?.namespace === other.props["metadata"]?.namespace;
}

/** Whether a label selector matches labels, including its expressions. */
export function covers(selector: Properties, labels: Properties): boolean {
    const wanted = Object.entries(selector["matchLabels"] ?? {});
    const expressions: Properties[] = selector["matchExpressions"] ?? [];
    return (
        wanted.every(([key, value]) => labels[key] === value) &&
        expressions.every(({ key, operator, values }) => {
            switch (operator) {
                case "In":
                    return values.includes(labels[key]);
                case "NotIn":
                    return !values.includes(labels[key]);
                case "Exists":
                    return key in labels;
                default:
                    return !(key in labels);
            }
        })
    );
}

/** Whether a resource is of a type, by its token: `ofType("aws:sns/topic:Topic")`. */
export function ofType(type: string): (resource: PolicyResource) => boolean {
    return (resource) => resource.type === type;
}

/**
 * Whether a resource belongs to a trial (`mcp:tier`): by the label of a Kubernetes object, or the tag that the AWS
 * provider adds. Without the mark, production's rules hold.
 */
export function isTrial({ type, props, defaultTags }: PolicyResource): boolean {
    const mark = type.startsWith("kubernetes:")
        ? props["metadata"]?.labels?.[TIER_LABEL]
        : defaultTags[TIER_TAG];
    return mark === TRIAL;
}

const TRIAL: Tier = "trial";

/**
 * An identifying property of a resource. If the provider generates it, it may be missing before the resource exists.
 */
export function known(key: string): (resource: PolicyResource) => string {
    return ({ props }) => {
        const found = props[key];
        if (found === undefined) {
            throw new Undetermined(key);
        }
        return found;
    };
}

/**
 * Whether a property of a resource, or a part of it such as `target.arn`, refers to another resource: by its value if
 * known, otherwise by its dependencies.
 */
export function leadsTo(
    from: PolicyResource,
    path: string,
    to: PolicyResource,
    identity: (resource: PolicyResource) => string = known("arn"),
): boolean {
    return orElse(
        () => {
            const found = asList(at(from, path));
            return found.length > 0 && found.includes(identity(to));
        },
        (unknown) => {
            const sources = sourcesOf(from, path);
            // A value of another resource of the type is not of this one.
            if (!sources.includes(to.urn) && !sources.some((urn) => typeOf(urn) === to.type)) {
                throw unknown;
            }
            return sources.includes(to.urn);
        },
    );
}

/** Whether a property is set; a value of another resource counts, even while unknown. */
export function isGiven(resource: PolicyResource, path: string): boolean {
    return orElse(
        () => asList(at(resource, path)).some((value) => value !== ""),
        (unknown) => {
            if (sourcesOf(resource, path).length === 0) {
                throw unknown;
            }
            return true;
        },
    );
}

/** Whether a property refers to a customer KMS key, not to the AWS managed key. */
export function namesOwnKey(resource: PolicyResource, path: string): boolean {
    return orElse(
        () => {
            const found: unknown = at(resource, path);
            return typeof found === "string" && found !== "" && !/(^|:)alias\/aws\//.test(found);
        },
        (unknown) => {
            if (!sourcesOf(resource, path).some((urn) => /^aws:kms\/(key|alias):/.test(typeOf(urn)))) {
                throw unknown;
            }
            return true;
        },
    );
}

function at({ props }: PolicyResource, path: string): unknown {
    return path.split(".").reduce<Properties[string]>((value, key) => value?.[key], props);
}

function sourcesOf({ propertyDependencies }: PolicyResource, path: string): readonly string[] {
    return propertyDependencies[path.split(".")[0]!] ?? [];
}

/** The type in a URN, without the types of its parents. */
function typeOf(urn: string): string {
    return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

/** Whether a resource is an EKS cluster. */
export const isCluster = ofType("aws:eks/cluster:Cluster");

/** Whether a resource is a state machine. */
export const isStateMachine = ofType("aws:sfn/stateMachine:StateMachine");
