import { BACKUPS } from "../../core/numbers";
import { isBucket, lifecycleOf, prefixOf } from "../buckets";
import { isIdle, isReplicationGroup, snapshotBucketOf, snapshotMachineOf } from "../caches";
import { type Rule } from "../rule";
import { eachOf, findOf, known } from "../selectors";

const { retentionDays } = BACKUPS.redis;

export const rule: Rule = {
    name: "aws-elasticache-replication-group-require-snapshot-retention",
    description: `Snapshots of Redis go to a bucket of the stack, and are kept there for ${retentionDays} days.`,
    severity: "high",
    enforcement: "mandatory",
    frameworks: [],
    remediation: `Let the state machine copy snapshots to a bucket of the stack, and let its lifecycle delete them after ${retentionDays} days.`,
    runbook: "7.1",
    stack: eachOf(isReplicationGroup, (group, resources, { report }) => {
        if (isIdle(group, resources)) {
            return;
        }
        const machine = snapshotMachineOf(group, resources);
        const name = machine && snapshotBucketOf(machine);
        const bucket =
            name === undefined
                ? undefined
                : findOf(resources.filter(isBucket), (candidate) => known("bucket")(candidate) === name);
        if (bucket === undefined) {
            report("its snapshots go to no bucket of the stack");
            return;
        }
        const expiring = lifecycleOf(bucket, resources).filter(
            (candidate) => prefixOf(candidate) === "" && candidate["expiration"]?.days != null,
        );
        const found: number | undefined = expiring[0]?.["expiration"].days;
        if (found !== retentionDays) {
            report(`snapshots are kept for ${found ?? "unlimited"} days, expected ${retentionDays}`, bucket);
        }
    }),
};
