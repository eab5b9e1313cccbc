import { type RecordedResource } from "./record";
import { UsageError } from "./usageError";

/** Concern of resources outside components: the stack, its providers, its lookups. */
const NO_CONCERN = "stack";

/** The top-level component of a resource; undefined if there is none. */
export type ComponentOf = (resource: RecordedResource) => RecordedResource | undefined;

export function componentsOf(resources: readonly RecordedResource[]): ComponentOf {
    const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    const find: ComponentOf = (resource) => {
        const parent = byUrn.get(resource.parent);
        if (parent === undefined || parent.parent === "") {
            return resource.custom || parent === undefined ? undefined : resource;
        }
        return find(parent);
    };
    return find;
}

/** The concern of a component by its type: `backup` for `mcp:backup:DatabaseDumps`, the folder of its source. */
export function concernOf(component: RecordedResource | undefined): string {
    return component?.type.split(":")[1] ?? NO_CONCERN;
}

/**
 * Short name of a type: `Deployment`, `s3.Bucket`, `DatabaseDumps`. Several AWS services have types of the same name,
 * so the service is included.
 */
export function shortType(type: string): string {
    const [provider, module = "", kind = type] = type.split(":");
    const service = provider === "aws" ? `${module.split("/")[0]}.` : "";
    return provider === "pulumi" && module === "providers" ? `provider ${kind}` : `${service}${kind}`;
}

/** Which resources to show. */
export type Filter = (resource: RecordedResource) => boolean;

const KEYS = ["type", "name", "concern"] as const;

/**
 * A filter from texts such as `type=Bucket`, `name=chat-ui` and `concern=backup`. Values of one key are alternatives;
 * all keys must match. Types and names match case-insensitively by substring.
 *
 * @throws UsageError for other texts, for an unknown concern, and if no resource matches.
 */
export function filterOf(
    texts: readonly string[],
    resources: readonly RecordedResource[],
): Filter | undefined {
    if (texts.length === 0) {
        return undefined;
    }
    const componentOf = componentsOf(resources);
    const concerns = new Set(resources.map((resource) => concernOf(componentOf(resource))));
    const parts = texts.map((text) => {
        const [, key, value] = /^(\w+)=(.+)$/s.exec(text) ?? [];
        const known = KEYS.find((each) => each === key);
        if (known === undefined || value === undefined) {
            throw new UsageError(
                `--filter: found ${JSON.stringify(text)}, expected type=…, name=… or concern=…, such as concern=backup`,
            );
        }
        if (known === "concern" && !concerns.has(value.toLowerCase())) {
            throw new UsageError(
                `--filter: found concern ${JSON.stringify(value)}, expected one of ${[...concerns].sort().join(", ")}`,
            );
        }
        return { key: known, value: value.toLowerCase() };
    });
    const matches: Record<(typeof KEYS)[number], (resource: RecordedResource, value: string) => boolean> = {
        type: ({ type }, value) => [type, shortType(type)].some((text) => text.toLowerCase().includes(value)),
        name: ({ name }, value) => name.toLowerCase().includes(value),
        concern: (resource, value) => concernOf(componentOf(resource)).toLowerCase() === value,
    };
    const filter: Filter = (resource) =>
        KEYS.every((key) => {
            const alternatives = parts.filter((part) => part.key === key);
            return (
                alternatives.length === 0 || alternatives.some(({ value }) => matches[key](resource, value))
            );
        });
    if (!resources.some(filter)) {
        throw new UsageError(
            `--filter: found ${texts.join(", ")}, which no resource of the stack matches: npm run preview -- --full lists them`,
        );
    }
    return filter;
}
