import { TIME_ZONE } from "../../core/numbers";
import { isPlan, kindOf, SNAPSHOTS } from "../backups";
import { type Rule } from "../rule";
import { gapsOf, runsOf } from "../schedules";
import { eachOf, isTrial } from "../selectors";
import { type Properties } from "../unknown";

const { hourly, daily } = SNAPSHOTS;

/** Default of AWS Backup's start window, in minutes. */
const START_WINDOW = 480;

export const rule: Rule = {
    name: "aws-backup-plan-require-retention",
    description: `Jobs of a backup plan are hourly and kept for ${hourly.days} day, or daily and kept for ${daily.days} days, go by the clock of ${TIME_ZONE}, and start before the next one is due.`,
    severity: "high",
    enforcement: "mandatory",
    frameworks: [],
    remediation: `Declare a plan each for hourly and daily jobs: of two jobs whose start windows overlap in one plan, AWS Backup runs one. Set scheduleExpressionTimezone of each rule to ${TIME_ZONE}: without it the zone is UTC.`,
    runbook: "7.1",
    stack: eachOf(isPlan, (plan, _resources, { report, attempt }) => {
        const rules: Properties = plan.props["rules"] ?? [];
        const all = Object.keys(rules).map((index): Properties => rules[index]);
        for (const each of all) {
            attempt(() => {
                const kind = kindOf(each);
                const found = each["lifecycle"]?.deleteAfter;
                if (kind === undefined) {
                    report(`${each["ruleName"]}: runs by ${each["schedule"]}, expected hourly or daily`);
                } else if (!isTrial(plan) && found < SNAPSHOTS[kind].days) {
                    report(
                        `${each["ruleName"]}: is kept for ${found} days, expected ${SNAPSHOTS[kind].days}`,
                    );
                }
            });
            attempt(() => {
                const found = each["scheduleExpressionTimezone"];
                if (found !== TIME_ZONE) {
                    report(
                        `${each["ruleName"]}: scheduleExpressionTimezone is ${found ?? "not set"}, expected ${TIME_ZONE}`,
                    );
                }
            });
        }
        const window = Math.max(...all.map(({ startWindow }) => startWindow ?? START_WINDOW));
        if (gapsOf(all.flatMap(({ schedule }) => runsOf(schedule))).some((gap) => gap < window)) {
            report(`starts jobs up to ${window} minutes late, when the next one is due already`);
        }
    }),
};
