import { join } from "node:path";
import { type RecordedResource, type Recording } from "./record";

const STACK = "pulumi:pulumi:Stack";
const WORKLOAD = "mcp:workload:Workload";
/** Types that have pods, or route to them. */
const IN_CLUSTER = /^kubernetes:(apps|batch)\/|:Ingress$/;

/** Areas, in the order that draws the fewest crossing lines. */
const AREAS = ["edge", "workload", "data", "storage", "backup", "observability", "incident"];

/**
 * The components of a stack by area, as a picture (Mermaid). A thick arrow is a request. A thin arrow leads from a component
 * to one that needs it, as in {@link releaseDiagram}. Round components have pods, or lead to pods.
 */
export function platformDiagram({ resources }: Recording): string {
    const owners = ownersOf(resources);
    const components = [...new Set(owners.values())].sort((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
    const needs = new Map(components.map((component) => [component, new Set<RecordedResource>()]));
    const inside = new Set<RecordedResource>();
    for (const resource of resources) {
        const owner = owners.get(resource.urn);
        if (owner === undefined) continue;
        if (resource.custom && IN_CLUSTER.test(resource.type)) inside.add(owner);
        for (const urn of resource.dependencies) {
            const needed = owners.get(urn);
            if (needed !== undefined && needed !== owner) needs.get(owner)!.add(needed);
        }
    }
    // Everything depends on it.
    const ctx = (component: RecordedResource) => component.type.endsWith(":Namespace");
    const drawn = components.filter((component) => !ctx(component));
    const node = (component: RecordedResource) => {
        const label = component.type === WORKLOAD ? component.name : titleOf(component.type);
        return idOf(component) + (inside.has(component) ? `("${label}")` : `["${label}"]`);
    };
    const areas = [...new Set([...AREAS, ...drawn.map(areaOf)])].filter((area) =>
        drawn.some((component) => areaOf(component) === area),
    );
    return [
        "flowchart LR",
        ...areas.flatMap((area) => {
            const nodes = drawn.filter((component) => areaOf(component) === area).map(node);
            // A frame around a single component adds no information.
            return nodes.length === 1
                ? [`  ${nodes[0]}`]
                : [`  subgraph ${area}`, ...nodes.map((each) => `    ${each}`), "  end"];
        }),
        ...requestsOf(resources, owners).map(([from, to]) => `  ${idOf(from)} ==> ${idOf(to)}`),
        ...drawn.flatMap((component) =>
            direct(component, needs)
                .filter((needed) => !ctx(needed))
                .map((needed) => `  ${idOf(needed)} --> ${idOf(component)}`),
        ),
        "",
    ].join("\n");
}

/** Kinds that an update waits for and that other resources depend on. */
const STEPS = ["kubernetes:apps/v1:Deployment", "kubernetes:batch/v1:Job", "kubernetes:core/v1:Service"];

/** Names of a stack's workloads. */
export function workloadsOf({ resources }: Recording): string[] {
    return resources
        .filter(({ type }) => type === WORKLOAD)
        .map(({ name }) => name)
        .sort();
}

/**
 * The steps of one workload in the order of an update, as a picture. An arrow leads from a step to one that waits for it. The
 * names omit the workload's.
 */
export function releaseDiagram({ resources }: Recording, workload: string): string {
    const owners = ownersOf(resources);
    const steps = resources.filter(({ type, urn }) => {
        const owner = owners.get(urn);
        return owner?.type === WORKLOAD && owner.name === workload && STEPS.includes(type);
    });
    const byUrn = new Map(steps.map((step) => [step.urn, step]));
    const waits = new Map(
        steps.map((step) => [step, new Set(step.dependencies.flatMap((urn) => byUrn.get(urn) ?? []))]),
    );
    return [
        "flowchart LR",
        ...steps.map(
            (step) =>
                `  ${idOf(step)}["${titleOf(step.type)}<br/>${nameOf(step).replace(`${workload}-`, "")}"]`,
        ),
        ...steps.flatMap((step) =>
            direct(step, waits).map((earlier) => `  ${idOf(earlier)} --> ${idOf(step)}`),
        ),
        "",
    ].join("\n");
}

/** Documents with pictures. */
export const PICTURED = ["README.md", join("docs", "architecture.md")];

/** Pictures of the documents, given a function that records production with edits. */
export async function picturesOf(
    recorded: (...edits: string[]) => Promise<Recording>,
): Promise<Record<string, string>> {
    return {
        platform: platformDiagram(await recorded()),
        release: releaseDiagram(await recorded("mcp:workloads.mcp-server.live=green"), "mcp-server"),
    };
}

/** A text with its pictures inserted: from `<!-- picture: NAME -->` to `<!-- end of picture -->`. */
export function withPictures(text: string, pictures: Readonly<Record<string, string>>): string {
    return text.replace(
        /(<!-- picture: (\w+) -->\n)[^]*?(<!-- end of picture -->)/g,
        (_, begin: string, name: string, end: string) => {
            const picture = pictures[name];
            if (picture === undefined) throw new Error(`there is no picture ${name}`);
            return `${begin}\n\`\`\`mermaid\n${picture}\`\`\`\n\n${end}`;
        },
    );
}

/** The top-level component of each resource. */
function ownersOf(resources: readonly RecordedResource[]): Map<string, RecordedResource> {
    const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    const owner = (resource: RecordedResource): RecordedResource | undefined => {
        const parent = byUrn.get(resource.parent);
        if (parent === undefined) return undefined;
        return parent.type === STACK ? resource : owner(parent);
    };
    return new Map(
        resources.flatMap((resource) => {
            const found = owner(resource);
            return found === undefined || found.custom ? [] : [[resource.urn, found] as const];
        }),
    );
}

interface Backends {
    rules?: { http: { paths: { backend: { service: { name: string } } }[] } }[];
}

interface Callers {
    podSelector?: { matchLabels?: Record<string, string> };
    ingress?: { from?: Callers[] }[];
}

/** Requests between components: what the Ingress routes, and which workloads' pods a policy admits. */
function requestsOf(
    resources: readonly RecordedResource[],
    owners: ReadonlyMap<string, RecordedResource>,
): [RecordedResource, RecordedResource][] {
    const workloads = new Map(
        [...new Set(owners.values())]
            .filter(({ type }) => type === WORKLOAD)
            .map((workload) => [workload.name, workload]),
    );
    const found = resources.flatMap(({ type, urn, inputs }) => {
        const owner = owners.get(urn);
        if (owner === undefined) return [];
        const known = (names: readonly (string | undefined)[]) =>
            names.flatMap((name) => workloads.get(name ?? "") ?? []);
        if (type === "kubernetes:networking.k8s.io/v1:Ingress") {
            const { rules = [] } = inputs["spec"] as unknown as Backends;
            const names = rules.flatMap(({ http }) => http.paths.map(({ backend }) => backend.service.name));
            return known(names).map((to) => [owner, to] as const);
        }
        if (type === "kubernetes:networking.k8s.io/v1:NetworkPolicy") {
            const { podSelector, ingress = [] } = inputs["spec"] as unknown as Callers;
            const callers = ingress.flatMap(({ from = [] }) =>
                from.map((each) => each.podSelector?.matchLabels?.["app"]),
            );
            return known([podSelector?.matchLabels?.["app"]]).flatMap((to) =>
                known(callers).map((from) => [from, to] as const),
            );
        }
        return [];
    });
    const lines = new Map(
        found.map(([from, to]) => [
            `${idOf(from)} ${idOf(to)}`,
            [from, to] as [RecordedResource, RecordedResource],
        ]),
    );
    return [...lines.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, pair]) => pair);
}

/** Direct dependencies: without those that follow from others. */
function direct(
    one: RecordedResource,
    needs: ReadonlyMap<RecordedResource, ReadonlySet<RecordedResource>>,
): RecordedResource[] {
    const reached = (from: RecordedResource, seen = new Set<RecordedResource>()): Set<RecordedResource> => {
        for (const next of needs.get(from) ?? []) {
            if (!seen.has(next)) reached(next, seen.add(next));
        }
        return seen;
    };
    const own = [...(needs.get(one) ?? [])];
    return own
        .filter((needed) => !own.some((other) => other !== needed && reached(other).has(needed)))
        .sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

/** There may be several workloads, but only one of each other component. */
function idOf(resource: RecordedResource): string {
    const kind = resource.type.split(":").at(-1)!;
    const unique = resource.type.startsWith("mcp:") && resource.type !== WORKLOAD;
    return unique ? kind : `${kind}_${nameOf(resource)}`.replace(/\W/g, "_");
}

/** `backup` of `mcp:backup:CacheSnapshots`. */
function areaOf({ type }: RecordedResource): string {
    return type.split(":")[1]!;
}

/** The hash at the end of a gate's name differs between releases. */
function nameOf({ name }: RecordedResource): string {
    return name.replace(/-[0-9a-f]{8}$/, "");
}

/** `mcp:backup:CacheSnapshots` as `Cache snapshots`. */
function titleOf(type: string): string {
    return type
        .split(":")
        .at(-1)!
        .replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
