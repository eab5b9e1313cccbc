import { replaces } from "./forceNew";
import { isObject, type Property, Secret, UNKNOWN } from "./property";
import { type RecordedResource, type Recording } from "./record";

/** What an update would do to a resource. The last one: offline it is not known which of the two. */
export type Operation = "create" | "read" | "update" | "replace" | "delete" | "same" | "update or replace";

/** One property that differs; undefined where it is absent. */
export interface PropertyChange {
    readonly path: string;
    readonly before: Property | undefined;
    readonly after: Property | undefined;
}

/** What comes of one resource. */
export interface Change {
    readonly operation: Operation;
    /** As it will be, or as it was for what is deleted. */
    readonly resource: RecordedResource;
    readonly properties: readonly PropertyChange[];
    /** Names of the resources whose new, still unknown values reach this one, or reach it no more. */
    readonly because: readonly string[];
    /** Whether the engine refuses it: what is there is protected from being deleted or replaced. */
    readonly refused: boolean;
}

/** Whether it comes to be, or comes to be again. */
export function isMade({ operation }: Change): boolean {
    return operation === "create" || operation === "replace";
}

/** What it takes to get from one recording to another, in the order of the new one, deletions last. */
export function compare(before: Recording, after: Recording): Change[] {
    const old = new Map(before.resources.map((resource) => [resource.urn, resource]));
    const renewed = new Set<string>();
    const changes = new Map<string, Change>();
    // A replacement gives its dependents new values, which may replace them in turn: until nothing is added.
    for (let size = -1; size < renewed.size;) {
        size = renewed.size;
        for (const resource of after.resources) {
            const change = changeOf(old.get(resource.urn), resource, renewed);
            changes.set(resource.urn, change);
            if (isMade(change) && hasUnknownOutputs(resource)) {
                renewed.add(resource.urn);
            }
        }
    }
    const kept = new Set(after.resources.map(({ urn }) => urn));
    const deleted = before.resources
        .filter(({ urn }) => !kept.has(urn))
        .map((resource): Change => ({
            operation: "delete",
            resource,
            properties: [],
            because: [],
            refused: isProtected(resource),
        }));
    return [...changes.values(), ...deleted];
}

/** An object of Kubernetes that the program itself names gives its dependents nothing they do not know. */
function hasUnknownOutputs({ type, inputs }: RecordedResource): boolean {
    const metadata = inputs["metadata"];
    return !type.startsWith("kubernetes:") || !isObject(metadata) || metadata["name"] === undefined;
}

function changeOf(
    before: RecordedResource | undefined,
    after: RecordedResource,
    renewed: ReadonlySet<string>,
): Change {
    if (before === undefined) {
        return {
            operation: after.read ? "read" : "create",
            resource: after,
            properties: [],
            because: [],
            refused: false,
        };
    }
    const ignored = (after.options.ignoreChanges ?? []).map((path) => new RegExp(`^${path}(?=$|[.[])`));
    const properties = differences(before.inputs, after.inputs, "").filter(
        ({ path }) => !ignored.some((pattern) => pattern.test(path)),
    );
    // An unknown looks the same before and after; what it comes from tells whether it is.
    const because: string[] = [];
    for (const key of Object.keys(after.inputs)) {
        const [old, now] = [before, after].map(({ propertyDependencies }) => propertyDependencies[key] ?? []);
        const sources = [
            ...now!.filter((urn) => renewed.has(urn) || !old!.includes(urn)),
            ...old!.filter((urn) => !now!.includes(urn)),
        ];
        if (sources.length > 0) {
            for (const path of unknownPaths(after.inputs[key], key)) {
                if (!properties.some((property) => property.path === path)) {
                    properties.push({ path, before: UNKNOWN, after: UNKNOWN });
                }
                because.push(...sources.map((urn) => urn.split("::").at(-1)!));
            }
        }
    }
    const operation = operationOf(after, properties);
    return {
        operation,
        resource: after,
        properties,
        because: [...new Set(because)],
        refused: operation === "replace" && isProtected(before),
    };
}

function isProtected({ options }: RecordedResource): boolean {
    return options.protect === true;
}

function operationOf(resource: RecordedResource, properties: PropertyChange[]): Operation {
    if (properties.length === 0) {
        return "same";
    }
    const verdicts = properties.map(({ path }) => (resource.custom ? replaces(resource, path) : false));
    if (verdicts.includes(true)) {
        return "replace";
    }
    return verdicts.includes(undefined) ? "update or replace" : "update";
}

function differences(
    before: Property | undefined,
    after: Property | undefined,
    path: string,
): PropertyChange[] {
    if (before instanceof Secret && after instanceof Secret) {
        return differences(before.value, after.value, path).length > 0 ? [{ path, before, after }] : [];
    }
    const keys =
        isObject(before) && isObject(after) ? [...Object.keys(before), ...Object.keys(after)] : undefined;
    if (keys !== undefined) {
        const [left, right] = [before, after] as Record<string, Property>[];
        return [...new Set(keys)].flatMap((key) =>
            differences(left![key], right![key], path === "" ? key : `${path}.${key}`),
        );
    }
    if (Array.isArray(before) && Array.isArray(after)) {
        const length = Math.max(before.length, after.length);
        return Array.from({ length }, (_, index) =>
            differences(before[index], after[index], `${path}[${index}]`),
        ).flat();
    }
    return before === after ? [] : [{ path, before, after }];
}

function unknownPaths(value: Property | undefined, path: string): string[] {
    if (value === UNKNOWN) {
        return [path];
    }
    if (value instanceof Secret) {
        return unknownPaths(value.value, path);
    }
    if (Array.isArray(value)) {
        return value.flatMap((inner, index) => unknownPaths(inner, `${path}[${index}]`));
    }
    return isObject(value)
        ? Object.entries(value).flatMap(([key, inner]) => unknownPaths(inner, `${path}.${key}`))
        : [];
}
