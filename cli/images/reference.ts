/** Parts of an image reference. */
export interface ImageReference {
    /** Host, and port if given. */
    registry: string;
    repository: string;
    tag: string;
}

const REGISTRY = /^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?$/;
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+|\/)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * Splits `registry/repository:tag`.
 *
 * The registry is required: the default registry differs between tools.
 *
 * @throws Error naming the reference if it has no registry host, no tag, a digest or invalid characters.
 */
export function parseReference(text: string): ImageReference {
    const refuse = (why: string) =>
        new Error(`${text}: ${why}; expected registry.example.com/repository:tag`);
    if (text.includes("@")) {
        throw refuse("has a digest, which is what the tag is to be resolved to");
    }
    const slash = text.indexOf("/");
    const registry = text.slice(0, Math.max(slash, 0));
    // As in Docker, a first part without dot, port or the name localhost belongs to the repository.
    if (!/[.:]|^localhost$/.test(registry)) {
        throw refuse("names no registry host");
    }
    const [repository = "", tag, ...more] = text.slice(slash + 1).split(":");
    if (tag === undefined) {
        throw refuse("has no tag");
    }
    const wellFormed = REGISTRY.test(registry) && REPOSITORY.test(repository) && TAG.test(tag);
    if (!wellFormed || more.length > 0 || !URL.canParse(`https://${registry}`)) {
        throw refuse("is no image reference");
    }
    return { registry, repository, tag };
}
