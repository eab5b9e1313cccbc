import { isObject, type Property, Secret, UNKNOWN } from "./property";
import { type RecordedResource, type Recording } from "./record";

/** A Kubernetes object as sent to the API. */
export interface Manifest {
    apiVersion: string;
    kind: string;
    metadata: { name: string; namespace?: string };
}

/** Placeholder for a value that only a provider knows. */
export const UNKNOWN_TEXT = "known-after-the-update";

/**
 * The Kubernetes objects of a recording, in the order of registration. A missing name is the resource's, an unknown
 * value is {@link UNKNOWN_TEXT}, and `secret` returns the placeholder of a secret.
 */
export function manifestsOf({ resources }: Recording, secret: (value: unknown) => unknown): Manifest[] {
    return resources
        .filter(({ type, read }) => type.startsWith("kubernetes:") && !read)
        .map((resource) => manifestOf(resource, secret));
}

function manifestOf({ inputs, name }: RecordedResource, secret: (value: unknown) => unknown): Manifest {
    const plain = (value: Property, hidden = false): unknown => {
        if (value instanceof Secret) {
            return plain(value.value, true);
        }
        if (value === UNKNOWN) {
            return UNKNOWN_TEXT;
        }
        if (Array.isArray(value)) {
            return value.map((inner: Property) => plain(inner, hidden));
        }
        if (isObject(value)) {
            return Object.fromEntries(
                Object.entries(value).map(([key, inner]) => [key, plain(inner, hidden)]),
            );
        }
        return hidden ? secret(value) : value;
    };
    const manifest = plain(inputs) as Manifest & { stringData?: unknown };
    if (manifest.stringData === UNKNOWN_TEXT) {
        manifest.stringData = {};
    }
    return { ...manifest, metadata: { ...manifest.metadata, name: manifest.metadata.name ?? name } };
}
