import { replaces } from "./forceNew";
import { isObject, type Property, Secret, UNKNOWN } from "./property";
import { type RecordedResource, type Recording } from "./record";

/** What an update does to a resource. The last one: offline it is unknown whether it updates or replaces. */
export type Operation = "create" | "read" | "update" | "replace" | "delete" | "same" | "update or replace";

/**
 * A property that differs; undefined if absent. JSON documents are compared by content:
 * `policy.Statement[0].Action[1]`.
 */
export interface PropertyChange {
    readonly path: string;
    readonly before: Property | undefined;
    readonly after: Property | undefined;
}

/** Change of one resource. */
export interface Change {
    readonly operation: Operation;
    /** The new state; for a deletion, the old one. */
    readonly resource: RecordedResource;
    readonly properties: readonly PropertyChange[];
    /** Names of resources whose new, unknown values this resource uses, or uses no longer. */
    readonly because: readonly string[];
    /** Whether the engine refuses it (it neither deletes nor replaces protected resources), or AWS. */
    readonly refused: boolean;
    /** Why AWS refuses it. */
    readonly refusal?: string | undefined;
}

/** Whether it is created or replaced. */
export function isMade({ operation }: Change): boolean {
    return operation === "create" || operation === "replace";
}

/** The changes between two recordings, in the order of the new one, deletions last. */
export function compare(before: Recording, after: Recording): Change[] {
    const old = new Map(before.resources.map((resource) => [resource.urn, resource]));
    const renewed = new Set<string>();
    const moved = new Set<string>();
    const changes = new Map<string, Change>();
    // A replacement gives its dependents new values, which may replace them too: repeat until nothing changes.
    for (let size = -1; size < renewed.size + moved.size;) {
        size = renewed.size + moved.size;
        for (const resource of after.resources) {
            const change = changeOf(old.get(resource.urn), resource, renewed, moved);
            changes.set(resource.urn, change);
            if (isMoved(change)) {
                moved.add(resource.urn);
            }
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

/** Properties that identify a provider: if they change, it manages other resources. */
const PROVIDER_IDENTITY: Readonly<Record<string, RegExp>> = {
    "pulumi:providers:aws": /^(region|profile|allowedAccountIds|assumeRoles?|endpoints)\b/,
    "pulumi:providers:kubernetes": /^(kubeconfig|context|cluster)$/,
};

/** Placeholder until an operator sets the account's id: setting it changes no account. */
const NO_ACCOUNT = "000000000000";

/** Whether a provider now leads to another place, where none of the stack's resources exists. */
function isMoved({ operation, resource: { type }, properties }: Change): boolean {
    const identity = PROVIDER_IDENTITY[type];
    return (
        identity !== undefined &&
        operation !== "create" &&
        properties.some(
            ({ path, before }) =>
                identity.test(path) && !(typeof before === "string" && before.includes(NO_ACCOUNT)),
        )
    );
}

/** A Kubernetes object that the program names has no output that its dependents do not already know. */
function hasUnknownOutputs({ type, inputs }: RecordedResource): boolean {
    const metadata = inputs["metadata"];
    return !type.startsWith("kubernetes:") || !isObject(metadata) || metadata["name"] === undefined;
}

function changeOf(
    before: RecordedResource | undefined,
    after: RecordedResource,
    renewed: ReadonlySet<string>,
    moved: ReadonlySet<string>,
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
    // Unknown values compare equal; their source tells whether they change.
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
    const isMovedAlong = after.custom && !after.read && moved.has(after.provider);
    if (isMovedAlong) {
        because.push(after.provider.split("::").at(-1)!);
    }
    const operation = isMovedAlong ? "replace" : operationOf(after, properties);
    const refusal = refusalOf(after, properties);
    return {
        operation,
        resource: after,
        properties,
        because: [...new Set(because)],
        refused: refusal !== undefined || (operation === "replace" && isProtected(before)),
        refusal,
    };
}

/** Why AWS refuses an update of any such resource. */
function refusalOf({ type }: RecordedResource, properties: readonly PropertyChange[]): string | undefined {
    if (type !== "aws:rds/instance:Instance") {
        return undefined;
    }
    for (const { path, before, after } of properties) {
        const [old, now] = [before, after].map((value) =>
            typeof value === "string" || typeof value === "number" ? Number(value) : NaN,
        ) as [number, number];
        if (path === "engineVersion" && now < old) {
            return `RDS takes PostgreSQL ${old} back to no earlier version, such as ${now}`;
        }
        if (path === "allocatedStorage" && now * 10 < old * 11) {
            return `RDS makes no disk smaller, and grows one by a tenth at least: to ${Math.ceil((old * 11) / 10)} GiB or more`;
        }
    }
    return undefined;
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
    if (before === after) {
        return [];
    }
    if (before instanceof Secret && after instanceof Secret) {
        return differences(before.value, after.value, path).length > 0 ? [{ path, before, after }] : [];
    }
    if (isObject(before) && isObject(after)) {
        return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
            differences(before[key], after[key], path === "" ? key : `${path}.${key}`),
        );
    }
    if (Array.isArray(before) && Array.isArray(after)) {
        const between = (pairs: readonly Pair[]) =>
            pairs.flatMap(({ key, left, right }) => differences(left, right, `${path}[${key}]`));
        const inOrder = between(inOrderOf(before, after));
        const paired = inOrder.length === 0 ? [] : between(pairsOf(before, after));
        return paired.length > 0 ? paired : inOrder;
    }
    const [old, now]: (Property | undefined)[] = [documentOf(before), documentOf(after)];
    const inside = old === undefined || now === undefined ? [] : differences(old, now, path);
    // The same content in another format is still another text.
    return inside.length > 0 ? inside : [{ path, before, after }];
}

/** The content of a JSON text; undefined for other texts and for scalars. */
export function documentOf(value: Property | undefined): Property | undefined {
    if (typeof value !== "string" || !/^\s*[[{]/.test(value)) {
        return undefined;
    }
    try {
        return JSON.parse(value) as Property;
    } catch {
        return undefined;
    }
}

interface Pair {
    /** Index, or the common name of both items. */
    key: string | number;
    left: Property | undefined;
    right: Property | undefined;
}

/** Name that identifies an item of a list. */
const ITEM_KEYS = ["name", "Sid", "id", "key", "host"];

function inOrderOf(before: readonly Property[], after: readonly Property[]): Pair[] {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, key) => ({
        key,
        left: before[key],
        right: after[key],
    }));
}

/**
 * Pairs of items of two lists: by name; without names, equal ones first, and the rest in order. Inserting an item at
 * the front changes no other.
 */
function pairsOf(before: readonly Property[], after: readonly Property[]): Pair[] {
    const identity = ITEM_KEYS.find((key) => isUnique(before, key) && isUnique(after, key));
    if (identity !== undefined) {
        const nameOf = (item: Property) => (item as Record<string, string>)[identity]!;
        const [left, right] = [before, after].map(
            (items) => new Map(items.map((item) => [nameOf(item), item])),
        ) as [Map<string, Property>, Map<string, Property>];
        const names = [...new Set([...left.keys(), ...right.keys()])];
        const isInOrder = [...left.keys()].every((name, index) => name === [...right.keys()][index]);
        return isInOrder
            ? inOrderOf(before, after)
            : names.map((key) => ({ key, left: left.get(key), right: right.get(key) }));
    }
    const rest = [...after.keys()];
    const changed = [...before.keys()].filter((index) => {
        const same = rest.findIndex((other) => differences(before[index], after[other], "").length === 0);
        if (same >= 0) {
            rest.splice(same, 1);
        }
        return same < 0;
    });
    return Array.from({ length: Math.max(changed.length, rest.length) }, (_, index) => ({
        key: rest[index] ?? changed[index]!,
        left: before[changed[index] ?? -1],
        right: after[rest[index] ?? -1],
    }));
}

function isUnique(items: readonly Property[], key: string): boolean {
    const names = items.map((item) => (isObject(item) ? item[key] : undefined));
    return names.every((name) => typeof name === "string") && new Set(names).size === names.length;
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
