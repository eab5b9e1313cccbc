import { BACKUPS } from "../../core/numbers";
import { isIdle, isReplicationGroup, snapshotMachineOf } from "../caches";
import { type Rule } from "../rule";
import { HOUR, isOn, isSchedule, runsEvery } from "../schedules";
import { eachOf, findOf, leadsTo } from "../selectors";

const { everyHours } = BACKUPS.redis;

export const rule: Rule = {
    name: "aws-elasticache-replication-group-require-snapshots",
    description: `A schedule takes a snapshot of Redis every ${everyHours} hours.`,
    severity: "high",
    enforcement: "mandatory",
    frameworks: [],
    remediation:
        `Declare a schedule of every ${everyHours} hours for a state machine that takes snapshots of the ` +
        "group: ElastiCache itself takes one a day.",
    runbook: "7.1",
    stack: eachOf(isReplicationGroup, (group, resources, { report }) => {
        if (isIdle(group, resources)) {
            return;
        }
        const machine = snapshotMachineOf(group, resources);
        if (machine === undefined) {
            report("no state machine of the stack takes snapshots of it");
            return;
        }
        const schedules = resources.filter(isSchedule);
        const schedule = findOf(
            schedules,
            (candidate) => isOn(candidate) && leadsTo(candidate, "target.arn", machine),
        );
        const expression: string | undefined = schedule?.props["scheduleExpression"];
        if (expression === undefined) {
            report("no schedule takes snapshots of it");
            return;
        }
        if (!runsEvery(expression, everyHours * HOUR)) {
            report(`snapshots are taken by ${expression}, expected every ${everyHours} hours`);
        }
    }),
};
