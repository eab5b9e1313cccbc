import { BACKUPS } from "../../runbook/numbers";
import { type Rule } from "../rule";
import { hoursBetween } from "../schedules";
import { eachOf, ofType } from "../selectors";
import { type Properties } from "../unknown";

const { hourly, daily } = BACKUPS.postgresql;

export const rule: Rule = {
    name: "aws-backup-plan-require-retention",
    description: `A backup plan is hourly and keeps for ${hourly.retentionDays} day, or daily and keeps for ${daily.retentionDays} days, and is not both.`,
    severity: "high",
    enforcement: "mandatory",
    frameworks: [],
    remediation: `Declare a plan of one rule each: of two jobs whose start windows overlap in one plan, AWS Backup runs one.`,
    runbook: "7.1",
    stack: eachOf(ofType("aws:backup/plan:Plan"), (plan, _resources, { report, attempt }) => {
        const rules: Properties = plan.props["rules"] ?? [];
        const count = Object.keys(rules).length;
        if (count !== 1) {
            report(`has ${count} rules, expected one`);
        }
        for (const index of Object.keys(rules)) {
            attempt(() => {
                const { ruleName, schedule, lifecycle } = rules[index];
                const kind = [hourly, daily].find(
                    (candidate) => hoursOf(candidate) === hoursBetween(schedule),
                );
                if (kind === undefined) {
                    report(`${ruleName}: runs by ${schedule ?? "nothing"}, expected hourly or daily`);
                } else if (lifecycle?.deleteAfter !== kind.retentionDays) {
                    const found = lifecycle?.deleteAfter ?? "unlimited";
                    report(`${ruleName}: is kept for ${found} days, expected ${kind.retentionDays}`);
                }
            });
        }
    }),
};

function hoursOf(kind: typeof hourly | typeof daily): number {
    return "everyHours" in kind ? kind.everyHours : kind.everyDays * 24;
}
