import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { displayed } from "./property";
import { type RecordedResource, type Recording } from "./record";
import { type TreeNode, treeOf } from "./tree";

/** Longest text a golden dump shows in full; what is longer stands as its length and hash. */
const LONGEST_TEXT = 2000;

/** A recording as files that are reviewed and compared, one for each component of the stack: name to content. */
export function goldenFiles(recording: Recording): Map<string, string> {
    const prefix = `urn:pulumi:${recording.stack}::${recording.project}::`;
    const [root] = treeOf(recording.resources.map((resource) => ({ resource })));
    const files = new Map<string, unknown[]>();
    for (const node of root!.children) {
        const { type, name, custom } = node.item.resource;
        const file = custom ? "providers.yaml" : `${type.split(":").at(-1)!.toLowerCase()}-${name}.yaml`;
        files.set(file, [
            ...(files.get(file) ?? []),
            ...flatten(node).map((resource) => dump(resource, prefix)),
        ]);
    }
    files.set("outputs.yaml", [displayed(recording.outputs)]);
    return new Map([...files].map(([file, content]) => [file, stringify(content, { lineWidth: 0 })]));
}

function flatten(node: TreeNode<{ resource: RecordedResource }>): RecordedResource[] {
    return [node.item.resource, ...node.children.flatMap(flatten)];
}

function dump(resource: RecordedResource, prefix: string) {
    const short = (urn: string) => urn.replace(prefix, "");
    const { options, dependencies } = resource;
    return {
        urn: short(resource.urn),
        ...(resource.custom ? { provider: short(resource.provider) } : {}),
        ...(Object.keys(options).length > 0 ? { options } : {}),
        ...(dependencies.length > 0 ? { dependencies: dependencies.map(short) } : {}),
        inputs: shortened(displayed(resource.inputs)),
    };
}

function shortened(value: unknown): unknown {
    if (typeof value === "string" && value.length > LONGEST_TEXT) {
        return `[${value.length} characters, sha256 ${createHash("sha256").update(value).digest("hex")}]`;
    }
    if (Array.isArray(value)) {
        return value.map(shortened);
    }
    return typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortened(inner)]))
        : value;
}
