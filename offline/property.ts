import { createHash } from "node:crypto";
import { masked } from "../core/credentials";
import { UNKNOWN } from "../policies/unknown";

/** Signatures by which the SDK marks special values on the wire. */
const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e";

/** The SDK's mark of a value that only the real provider can know. */
export const UNKNOWN_ON_THE_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export { UNKNOWN };

/** A secret value. It compares by its content. */
export class Secret {
    constructor(readonly value: Property) {}
}

/** A resource's property as the program registered it. */
export type Property =
    | string
    | number
    | boolean
    | null
    | typeof UNKNOWN
    | Secret
    | readonly Property[]
    | { readonly [key: string]: Property };

/** Decodes a property of the wire format. */
export function decode(value: unknown): Property {
    if (value === UNKNOWN_ON_THE_WIRE) {
        return UNKNOWN;
    }
    if (Array.isArray(value)) {
        return value.map(decode);
    }
    if (typeof value === "object" && value !== null) {
        const object = value as Record<string, unknown>;
        if (object[SIGNATURE_KEY] === SECRET_SIGNATURE) {
            return new Secret(decode(object["value"]));
        }
        if (object[SIGNATURE_KEY] === RESOURCE_SIGNATURE) {
            return decode(object["urn"]);
        }
        return Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, decode(inner)]));
    }
    return (value ?? null) as Property;
}

/**
 * Encodes a property for the wire or for a file that others may read: a secret becomes its hash, which still compares.
 */
export function encode(value: Property): JsonValue {
    if (value === UNKNOWN) {
        return UNKNOWN_ON_THE_WIRE;
    }
    if (value instanceof Secret) {
        const hash = () =>
            createHash("sha256")
                .update(JSON.stringify(encode(value.value)))
                .digest("hex");
        return {
            [SIGNATURE_KEY]: SECRET_SIGNATURE,
            value: countUnknowns(value.value) > 0 ? UNKNOWN_ON_THE_WIRE : hash(),
        };
    }
    if (Array.isArray(value)) {
        return value.map(encode);
    }
    return isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, encode(inner)]))
        : (value as JsonValue);
}

/** Encodes a property for the wire with plain secrets; {@link decode} reverses it. */
export function wire(value: Property): JsonValue {
    if (value === UNKNOWN) {
        return UNKNOWN_ON_THE_WIRE;
    }
    if (value instanceof Secret) {
        return { [SIGNATURE_KEY]: SECRET_SIGNATURE, value: wire(value.value) };
    }
    if (Array.isArray(value)) {
        return value.map(wire);
    }
    return isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, wire(inner)]))
        : (value as JsonValue);
}

type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Whether a property is an object: no list, scalar, secret or unknown. */
export function isObject(value: Property | undefined): value is { readonly [key: string]: Property } {
    return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Secret);
}

/** A property as JSON, with marks for secrets, texts like secrets and unknowns; `name` is its key or path. */
export function displayed(value: Property, name = ""): unknown {
    if (value === UNKNOWN) {
        return "[unknown]";
    }
    if (value instanceof Secret) {
        return "[secret]";
    }
    if (Array.isArray(value)) {
        return value.map((item) => displayed(item));
    }
    if (isObject(value)) {
        // A variable of a container has its name beside its value.
        const { name: variable } = value;
        const nameOf = (key: string) => (key === "value" && typeof variable === "string" ? variable : key);
        return Object.fromEntries(
            Object.entries(value).map(([key, inner]) => [key, displayed(inner, nameOf(key))]),
        );
    }
    return typeof value === "string" ? masked(name, value) : value;
}

/** Counts the unknowns in a property. */
export function countUnknowns(value: Property): number {
    if (value instanceof Secret) {
        return countUnknowns(value.value);
    }
    if (Array.isArray(value) || isObject(value)) {
        return Object.values(value).reduce<number>((sum, inner) => sum + countUnknowns(inner), 0);
    }
    return value === UNKNOWN ? 1 : 0;
}
