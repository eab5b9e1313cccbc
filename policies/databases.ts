import { type PolicyResource } from "./rule";
import { findOf, known, leadsTo, ofType } from "./selectors";
import { type Properties } from "./unknown";

/** Whether a resource is a database instance. */
export const isInstance = ofType("aws:rds/instance:Instance");

/** A parameter of an instance's parameter group; undefined if the stack does not set it. */
export function parameterOf(
    instance: PolicyResource,
    name: string,
    resources: readonly PolicyResource[],
): string | undefined {
    const groups = resources.filter(ofType("aws:rds/parameterGroup:ParameterGroup"));
    const group = findOf(groups, (candidate) =>
        leadsTo(instance, "parameterGroupName", candidate, known("name")),
    );
    const parameters: Properties[] = group?.props["parameters"] ?? [];
    const parameter = findOf(parameters, (candidate) => candidate["name"] === name);
    return parameter && String(parameter["value"]);
}

/** Whether services use an instance: a Secret of the stack contains its address. */
export function isServing(instance: PolicyResource, resources: readonly PolicyResource[]): boolean {
    return secretsOf(instance, resources).length > 0;
}

/** The Secrets with an instance's address. */
export function secretsOf(
    instance: PolicyResource,
    resources: readonly PolicyResource[],
): readonly PolicyResource[] {
    return resources
        .filter(ofType("kubernetes:core/v1:Secret"))
        .filter((secret) => isMadeOf(secret, instance));
}

/** Whether a property of a resource is derived from another resource. */
export function isMadeOf({ propertyDependencies }: PolicyResource, { urn }: PolicyResource): boolean {
    return Object.values(propertyDependencies).some((sources) => sources.includes(urn));
}
