import { describeEvidence } from "./releaseApproval";
import { type Change, isMade } from "./compare";
import { isObject, type Property } from "./property";
import { type RecordedResource } from "./record";

const WORKLOAD = "mcp:workload:Workload";
const DISABLED_TOOL = "pulumi-nodejs:dynamic/operations:DisabledTool";
const JOB = "kubernetes:batch/v1:Job";

/** A nested property of a resource's inputs; undefined if the path ends early. */
export function at(value: Property | undefined, ...keys: string[]): Property | undefined {
    return keys.reduce<Property | undefined>(
        (inner, key) => (isObject(inner) ? inner[key] : undefined),
        value,
    );
}

/** The release of a Deployment, by its pods' label. */
export function versionOf({ inputs }: RecordedResource): string | undefined {
    const version = at(inputs, "spec", "template", "metadata", "labels", "app.kubernetes.io/version");
    return typeof version === "string" ? version : undefined;
}

/**
 * The effect of changes for operators, a sentence each: which release goes where and through which gates, which
 * workload is restarted or removed, which tool is disabled or enabled, which task runs; and then the checklist's
 * requirements of each release.
 */
export function describeWorkloads(changes: readonly Change[]): string[] {
    const byName = new Map(
        changes.map((change) => [`${change.resource.type} ${change.resource.name}`, change]),
    );
    const deploymentOf = (name: string) => byName.get(`kubernetes:apps/v1:Deployment ${name}`);
    const sentences = changes.flatMap((change) => {
        const {
            operation,
            resource: { type, name, urn, inputs },
        } = change;
        if (type === WORKLOAD && operation === "delete") {
            return [`${name} is removed.`];
        }
        if (type === DISABLED_TOOL && operation !== "same") {
            return [`The tool ${name} is ${operation === "delete" ? "enabled again" : "disabled"}.`];
        }
        // Tasks of a workload are its gates.
        if (type === JOB && isMade(change) && !urn.includes(`::${WORKLOAD}$`)) {
            return [`${name} runs once.`];
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
    return [...sentences, ...describeEvidence(changes)];

    function describeSwitch(name: string, before: Property | undefined, after: Property | undefined): string {
        const [old, fresh] = [before, after].map((colour) => {
            const deployment = deploymentOf(`${name}-${String(colour)}`);
            return deployment && versionOf(deployment.resource);
        });
        const [from, to] = [`${String(before)} ${old ?? ""}`, `${String(after)} ${fresh ?? ""}`];
        const idle = deploymentOf(`${name}-${String(before)}`);
        const scaledToZero = idle !== undefined && at(idle.resource.inputs, "spec", "replicas") === 0;
        const end = scaledToZero
            ? `; then ${String(before)} is scaled to 0`
            : `; ${String(before)} keeps its pods`;
        return `${name} ${goes(old, fresh)} from ${from.trim()} to ${to.trim()}${gatesOf(`${name}-${String(after)}`)}${end}.`;
    }

    function gatesOf(prefix: string): string {
        const jobs = changes
            .filter(isMade)
            .flatMap(({ resource: { type, name } }) =>
                type === JOB && name.startsWith(`${prefix}-`)
                    ? [name.slice(prefix.length + 1).replace(/-[0-9a-f]{8}$/, "")]
                    : [],
            );
        // A notice of completion is not a gate.
        const order = ["evidence", "dump", "capacity", "smoke", "soak"];
        const gates = order.filter((gate) => jobs.includes(gate));
        return gates.length === 0 ? "" : `; gates: ${gates.join(", ")}`;
    }
}

/** How one version follows another: a lower one is a rollback. Only versions of the form vN.N.N can be compared. */
function goes(before: Property | undefined, after: Property | undefined): string {
    const isBack =
        isNumbered(before) && isNumbered(after) && after.localeCompare(before, "en", { numeric: true }) < 0;
    return isBack ? "goes back" : "goes";
}

function isNumbered(version: Property | undefined): version is string {
    return typeof version === "string" && /^v\d+\.\d+\.\d+$/.test(version);
}

/** A quantity with its noun: `1 replica`, `2 replicas`. */
export function plural(number: number, what: string): string {
    return `${number} ${what}${number === 1 ? "" : "s"}`;
}
