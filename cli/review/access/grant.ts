import { displayed, type Property } from "../../../offline/property";
import { type RecordedResource, type Recording } from "../../../offline/record";
import { type Properties } from "../../../policies/unknown";

/** One thing that somebody can do: the subject, and what it may do, in words. */
export interface Grant {
    /** `ServiceAccount mcp-production/chat-ui`. */
    readonly subject: string;
    /** `read Secret mcp-db-secret`. */
    readonly may: string;
}

/** A change of what somebody can do. */
export interface AccessChange extends Grant {
    readonly kind: "gained" | "lost" | "unknown";
}

/** What a stack grants: the grants of one kind, before and after, compared by that kind's own rules. */
export type CompareAccess = (before: Recording, after: Recording) => AccessChange[];

/** Compares grants that no other can include. */
export function byText(grantsOf: (recording: Recording) => readonly Grant[]): CompareAccess {
    return (before, after) => {
        const [old, now] = [before, after].map(
            (recording) =>
                new Map(grantsOf(recording).map((grant) => [`${grant.subject} ${grant.may}`, grant])),
        ) as [Map<string, Grant>, Map<string, Grant>];
        return [
            ...[...now]
                .filter(([key]) => !old.has(key))
                .map(([, grant]) => ({ ...grant, kind: "gained" as const })),
            ...[...old]
                .filter(([key]) => !now.has(key))
                .map(([, grant]) => ({ ...grant, kind: "lost" as const })),
        ];
    };
}

/** What is in an input for what is not known offline. */
export const NOT_KNOWN = "[unknown]";

const plain = new WeakMap<RecordedResource["inputs"], Properties>();

/** Inputs as plain data, which every kind of grant reads: secrets and unknowns read as texts that say so. */
export function inputsOf({ inputs }: RecordedResource): Properties {
    const found = plain.get(inputs) ?? (displayed(inputs as Property) as Properties);
    plain.set(inputs, found);
    return found;
}

/** Name without what differs from release to release: the hash that it ends in, and the colour that a gate is of. */
export function lasting(name: string): string {
    return name
        .replace(/-[0-9a-f]{8}$/, "")
        .replace(/-(blue|green)-(capacity|dump|evidence|notice|smoke|soak)$/, "-$2");
}

/** Names of the resources that a property is made of, of the types that the pattern matches. */
export function sourcesOf(
    { propertyDependencies }: RecordedResource,
    property: string,
    type: RegExp,
): string[] {
    return (propertyDependencies[property] ?? []).flatMap((urn) => {
        const [, , types = "", ...name] = urn.split("::");
        return type.test(types.split("$").at(-1)!) ? [name.join("::")] : [];
    });
}
