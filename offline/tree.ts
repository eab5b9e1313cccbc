import { type RecordedResource } from "./record";

/** A resource and its children. */
export interface TreeNode<T extends { resource: RecordedResource }> {
    readonly item: T;
    readonly children: TreeNode<T>[];
}

/** Items as the tree of their resources, siblings sorted by type and name, independent of the registration order. */
export function treeOf<T extends { resource: RecordedResource }>(items: readonly T[]): TreeNode<T>[] {
    const nodes = new Map(items.map((item) => [item.resource.urn, { item, children: [] as TreeNode<T>[] }]));
    const roots: TreeNode<T>[] = [];
    for (const node of nodes.values()) {
        (nodes.get(node.item.resource.parent)?.children ?? roots).push(node);
    }
    const sort = (siblings: TreeNode<T>[]) => {
        siblings.sort((a, b) => order(a.item.resource, b.item.resource));
        siblings.forEach(({ children }) => sort(children));
    };
    sort(roots);
    return roots;
}

/** Providers first, components next, then single resources; each by type and name. */
function order(a: RecordedResource, b: RecordedResource): number {
    const rank = ({ type, custom }: RecordedResource) =>
        type.startsWith("pulumi:providers:") ? 0 : custom ? 2 : 1;
    const key = (resource: RecordedResource) => `${rank(resource)} ${resource.type} ${resource.name}`;
    return key(a) < key(b) ? -1 : 1;
}
