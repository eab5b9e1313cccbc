import { isServing } from "./databases";
import { parsed } from "./statements";
import { type PolicyResource } from "./rule";
import { findOf, isStateMachine, known, ofType } from "./selectors";
import { type Properties } from "./unknown";

/** Whether a resource is a replication group of ElastiCache. */
export const isReplicationGroup = ofType("aws:elasticache/replicationGroup:ReplicationGroup");

/** Whether services use another group of the stack instead: this one was restored or replaced. */
export function isIdle(group: PolicyResource, resources: readonly PolicyResource[]): boolean {
    const groups = resources.filter(isReplicationGroup);
    return !isServing(group, resources) && groups.some((other) => isServing(other, resources));
}

/** The state machine that takes snapshots of a replication group. */
export function snapshotMachineOf(
    group: PolicyResource,
    resources: readonly PolicyResource[],
): PolicyResource | undefined {
    return findOf(resources.filter(isStateMachine), (machine) =>
        callsOf(machine, "elasticache:createSnapshot").some(
            ({ ReplicationGroupId }) => ReplicationGroupId === known("replicationGroupId")(group),
        ),
    );
}

/** Name of the bucket that a state machine copies snapshots to. */
export function snapshotBucketOf(machine: PolicyResource): string | undefined {
    return callsOf(machine, "elasticache:copySnapshot")[0]?.["TargetBucket"];
}

/** Arguments of each call of an AWS action in a state machine. */
function callsOf({ props }: PolicyResource, action: string): Properties[] {
    const calls: Properties[] = [];
    const visit = (value: unknown) => {
        if (typeof value !== "object" || value === null) {
            return;
        }
        const state = value as Properties;
        if (typeof state["Resource"] === "string" && state["Resource"].endsWith(`:aws-sdk:${action}`)) {
            calls.push(state["Arguments"] ?? state["Parameters"] ?? {});
        }
        Object.values(state).forEach(visit);
    };
    visit(parsed(props["definition"]));
    return calls;
}
