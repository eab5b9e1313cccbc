import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eksKubeconfig } from "../../core/kubeconfig";
import { UNKNOWN, wire } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";
import { type Inventory } from "./aws";
import { type Match } from "./problems";

/** One entry of the file that `pulumi import --file` reads. */
interface ImportedResource {
    type: string;
    /** Unique in the file. */
    name: string;
    /** Name in the program. */
    logicalName: string;
    id?: string;
    component?: true;
    parent?: string;
    provider?: string;
    version?: string;
    inputs?: Record<string, unknown>;
}

/** See {@link ImportedResource}. */
export interface ImportFile {
    resources: ImportedResource[];
}

/** How the cluster is reached, where it is an EKS cluster. */
export interface ClusterAccess {
    name: string;
    region: string;
    found: NonNullable<Inventory["cluster"]>;
}

/**
 * The file for `pulumi import`: what was found, what it is a part of, and the providers that look after it. So it works in a
 * stack that has no state yet.
 */
export function importFileOf(
    root: string,
    { resources }: Recording,
    matches: readonly Match[],
    cluster: ClusterAccess | undefined,
): ImportFile {
    const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    const ids = new Map(matches.map(({ urn, id }) => [urn, id]));
    const needed = new Set<string>();
    const need = (urn: string) => {
        const resource = byUrn.get(urn);
        if (resource === undefined || needed.has(urn) || resource.type === "pulumi:pulumi:Stack") {
            return;
        }
        need(resource.parent);
        need(resource.provider);
        needed.add(urn);
    };
    matches.forEach(({ urn }) => need(urn));
    const names = new Map<string, string>();
    for (const urn of needed) {
        const { type, name } = byUrn.get(urn)!;
        const base = `${type.split(":").at(-1)} ${name}`;
        const taken = [...names.values()].filter(
            (each) => each === base || each.startsWith(`${base} (`),
        ).length;
        names.set(urn, taken === 0 ? base : `${base} (${taken + 1})`);
    }
    return {
        resources: [...needed].map((urn) => entryOf(root, byUrn.get(urn)!, names, ids.get(urn), cluster)),
    };
}

function entryOf(
    root: string,
    resource: RecordedResource,
    names: ReadonlyMap<string, string>,
    id: string | undefined,
    cluster: ClusterAccess | undefined,
): ImportedResource {
    const { urn, type, name, parent, provider, custom } = resource;
    const parentName = names.get(parent);
    const providerName = names.get(provider);
    const common = {
        type,
        name: names.get(urn)!,
        logicalName: name,
        ...(parentName !== undefined && { parent: parentName }),
    };
    if (type.startsWith("pulumi:providers:")) {
        return { ...common, version: versionOf(root, type), inputs: providerInputs(resource, cluster) };
    }
    return custom
        ? { ...common, id: id!, ...(providerName !== undefined && { provider: providerName }) }
        : { ...common, component: true };
}

/** Version of a provider's package, which the program registers it with. */
function versionOf(root: string, type: string): string {
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
        dependencies: Record<string, string>;
    };
    return dependencies[`@pulumi/${type.split(":").at(-1)!}`]!;
}

/** Its inputs as the program gives them; the kubeconfig of an EKS cluster follows from the inventory. */
function providerInputs(
    { type, inputs }: RecordedResource,
    cluster: ClusterAccess | undefined,
): Record<string, unknown> {
    const known = Object.entries(inputs).filter(([, value]) => value !== UNKNOWN);
    return {
        ...Object.fromEntries(known.map(([key, value]) => [key, wire(value)])),
        ...(type === "pulumi:providers:kubernetes" &&
            cluster !== undefined && {
                kubeconfig: JSON.stringify(eksKubeconfig(cluster.name, cluster.region, cluster.found)),
            }),
    };
}
