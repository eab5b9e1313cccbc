import { type Tier, TIER_LABEL, TIER_TAG } from "../core/labels";
import { podOf } from "./pods";
import { type PolicyResource, type Rule, type RuleResult } from "./rule";
import { asList } from "./statements";
import { orElse, type Properties, Undetermined } from "./unknown";

/** A check of each chosen resource by itself, with the rest of the stack at hand. It reports on that resource. */
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

/** The first item that passes. What is unknown of an item matters only where no other passes. */
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

/** Whether the pods of a resource are in an object's namespace and match its selector; no selector matches none. */
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

/** Whether a label selector matches labels; expressions count like `matchLabels`. */
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
 * Whether a resource is of a trial (`mcp:tier`): a Kubernetes object says so by its label, a resource on AWS by the tag
 * that its provider adds. What does not say so is judged as production's.
 */
export function isTrial({ type, props, defaultTags }: PolicyResource): boolean {
    const mark = type.startsWith("kubernetes:")
        ? props["metadata"]?.labels?.[TIER_LABEL]
        : defaultTags[TIER_TAG];
    return mark === TRIAL;
}

const TRIAL: Tier = "trial";

/**
 * A property that a resource is known by. Where the provider gives it out it may not even be there as an unknown
 * before the resource exists.
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
 * Whether a property of a resource, or a place in it such as `target.arn`, leads to another resource: by the value
 * where it is known, else by what the value is made of.
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
            // One that comes from another resource of the type does not come from this one.
            if (!sources.includes(to.urn) && !sources.some((urn) => typeOf(urn) === to.type)) {
                throw unknown;
            }
            return sources.includes(to.urn);
        },
    );
}

/** Whether a property is set; one that another resource gives is, though its value is not known yet. */
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

/** Whether a property names a KMS key of the account, and not the one that AWS keeps for the service. */
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

/** The type in a URN, without those of the parents before it. */
function typeOf(urn: string): string {
    return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

/** Whether a resource is an EKS cluster. */
export const isCluster = ofType("aws:eks/cluster:Cluster");

/** Whether a resource is a state machine. */
export const isStateMachine = ofType("aws:sfn/stateMachine:StateMachine");
