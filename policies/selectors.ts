import { podOf } from "./pods";
import { type PolicyResource, type Rule, type Verdict } from "./rule";
import { type Properties, Undetermined } from "./unknown";

/** A check of each chosen resource by itself, with the rest of the stack at hand. It reports on that resource. */
export function eachOf(
    chosen: (resource: PolicyResource) => boolean,
    check: (resource: PolicyResource, resources: readonly PolicyResource[], verdict: Verdict) => void,
): NonNullable<Rule["stack"]> {
    return (resources, verdict) => {
        for (const resource of resources.filter(chosen)) {
            const own: Verdict = {
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
        try {
            if (passes(item)) {
                return item;
            }
        } catch (error) {
            if (!(error instanceof Undetermined)) {
                throw error;
            }
            unknown ??= error;
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

/** Whether a resource is an SNS topic. */
export function isTopic({ type }: PolicyResource): boolean {
    return type === "aws:sns/topic:Topic";
}

/** ARN of a resource. AWS gives it out, so before the resource exists it may not even be there as an unknown. */
export function arnOf({ props }: PolicyResource): string {
    const arn = props["arn"];
    if (arn === undefined) {
        throw new Undetermined("arn");
    }
    return arn;
}
