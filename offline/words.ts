import { type Change } from "./compare";
import { isObject, type Property } from "./property";
import { type RecordedResource } from "./record";

/** A property deep inside a resource's inputs; undefined where the path ends early. */
export function at(value: Property | undefined, ...keys: string[]): Property | undefined {
    return keys.reduce<Property | undefined>(
        (inner, key) => (isObject(inner) ? inner[key] : undefined),
        value,
    );
}

/** The release a Deployment runs, by its pods' label. */
export function versionOf({ inputs }: RecordedResource): string | undefined {
    const version = at(inputs, "spec", "template", "metadata", "labels", "app.kubernetes.io/version");
    return typeof version === "string" ? version : undefined;
}

/**
 * What changes mean for the workloads, a sentence each: which release goes where and what it has to pass, which is
 * restarted, and which is removed.
 */
export function describeWorkloads(changes: readonly Change[]): string[] {
    const byName = new Map(
        changes.map((change) => [`${change.resource.type} ${change.resource.name}`, change]),
    );
    const deploymentOf = (name: string) => byName.get(`kubernetes:apps/v1:Deployment ${name}`);
    return changes.flatMap((change) => {
        const { type, name, inputs } = change.resource;
        if (type === "mcp:workload:Workload" && change.operation === "delete") {
            return [`${name} is removed.`];
        }
        if (type === "kubernetes:core/v1:Service") {
            const switched = change.properties.find(({ path }) => path === "spec.selector.version");
            return switched === undefined ? [] : [describeSwitch(name, switched.before, switched.after)];
        }
        const relabelled = change.properties.find(({ path }) =>
            path.endsWith("labels.app.kubernetes.io/version"),
        );
        if (type !== "kubernetes:apps/v1:Deployment") {
            return [];
        }
        if (relabelled === undefined) {
            const restarted = change.properties.find(({ path }) => path.endsWith("mcp.msil.com/restart"));
            // An idle colour has no pods to restart.
            return restarted === undefined || at(inputs, "spec", "replicas") === 0
                ? []
                : [
                      `${name} is restarted${restarted.after === undefined ? "" : `: ${String(restarted.after)}`}.`,
                  ];
        }
        const { before, after } = relabelled;
        return [`${name} ${goes(before, after)} from ${String(before)} to ${String(after)}${gatesOf(name)}.`];
    });

    function describeSwitch(name: string, before: Property | undefined, after: Property | undefined): string {
        const [old, fresh] = [before, after].map((colour) => {
            const deployment = deploymentOf(`${name}-${String(colour)}`);
            return deployment && versionOf(deployment.resource);
        });
        const [from, to] = [`${String(before)} ${old ?? ""}`, `${String(after)} ${fresh ?? ""}`];
        const idle = deploymentOf(`${name}-${String(before)}`);
        const scaledAway = idle !== undefined && at(idle.resource.inputs, "spec", "replicas") === 0;
        const end = scaledAway
            ? `; then ${String(before)} is scaled to 0`
            : `; ${String(before)} keeps its pods`;
        return `${name} ${goes(old, fresh)} from ${from.trim()} to ${to.trim()}${gatesOf(`${name}-${String(after)}`)}${end}.`;
    }

    function gatesOf(prefix: string): string {
        const jobs = changes
            .filter(({ operation }) => operation === "create" || operation === "replace")
            .flatMap(({ resource: { type, name } }) =>
                type === "kubernetes:batch/v1:Job" && name.startsWith(`${prefix}-`)
                    ? [name.slice(prefix.length + 1).replace(/-[0-9a-f]{8}$/, "")]
                    : [],
            );
        // What tells that it is done lets nothing through.
        const order = ["evidence", "dump", "capacity", "smoke", "soak"];
        const gates = order.filter((gate) => jobs.includes(gate));
        return gates.length === 0 ? "" : `; gates: ${gates.join(", ")}`;
    }
}

/** How one version follows another: a lower one is a way back. */
function goes(before: Property | undefined, after: Property | undefined): string {
    const isKnown = typeof before === "string" && typeof after === "string";
    return isKnown && after.localeCompare(before, "en", { numeric: true }) < 0 ? "goes back" : "goes";
}
