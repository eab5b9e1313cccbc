import { displayed, type Property } from "../../../offline/property";
import { type RecordedResource, type Recording } from "../../../offline/record";
import { type Properties } from "../../../policies/unknown";

/** A grant: the subject and its right, as text. */
export interface Grant {
    /** `ServiceAccount mcp-production/chat-ui`. */
    readonly subject: string;
    /** `read Secret mcp-db-secret`. */
    readonly may: string;
}

/** A change of grants. */
export interface AccessChange extends Grant {
    readonly kind: "gained" | "lost" | "unknown";
}

/** Grants of one kind, before and after, with the kind's own comparison. */
export type CompareAccess = (before: Recording, after: Recording) => AccessChange[];

/** Compares grants of which none includes another. */
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

/** Placeholder of an unknown value in an input. */
export const NOT_KNOWN = "[unknown]";

const plain = new WeakMap<RecordedResource["inputs"], Properties>();

/** Inputs as plain data, which every kind of grant reads: secrets and unknowns read as texts that say so. */
export function inputsOf({ inputs }: RecordedResource): Properties {
    const found = plain.get(inputs) ?? (displayed(inputs as Property) as Properties);
    plain.set(inputs, found);
    return found;
}

/** Name without the parts that change between releases: the final hash, and the colour of a gate. */
export function lasting(name: string): string {
    return name
        .replace(/-[0-9a-f]{8}$/, "")
        .replace(/-(blue|green)-(capacity|dump|evidence|notice|smoke|soak|watch)$/, "-$2");
}

/** Names of the resources that a property depends on, of matching types. */
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
