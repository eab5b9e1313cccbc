import { BACKUPS } from "../../core/numbers";
import { keptBelow, uploadSchedule } from "../buckets";
import { isInstance, isMadeOf, secretsOf } from "../databases";
import { isKind } from "../pods";
import { type Rule } from "../rule";
import { DAY, runsEvery } from "../schedules";
import { eachOf, isTrial } from "../selectors";
import { type Properties } from "../unknown";

const { daily, weekly } = BACKUPS.postgresql;

export const rule: Rule = {
    name: "aws-rds-instance-require-dumps",
    description: `Outside of trials, the database of the services is dumped every day and every week. A bucket keeps the daily dumps for ${daily.retentionDays} days, and the weekly ones in Glacier for ${weekly.retentionDays}.`,
    severity: "high",
    enforcement: "mandatory",
    frameworks: [],
    remediation:
        "Give a bucket of the stack a lifecycle with a rule below daily/ and one below weekly/, the latter with a transition to GLACIER, and declare a CronJob for each: it takes the Secret of the database, and in its environment the bucket as BUCKET and the prefix as KIND.",
    runbook: "7.1",
    stack: eachOf(isInstance, (instance, resources, { report, attempt }) => {
        const secrets = secretsOf(instance, resources);
        if (isTrial(instance) || secrets.length === 0) {
            return;
        }
        const jobs = resources.filter(
            (job) => isKind(job, "batch", "CronJob") && secrets.some((secret) => isMadeOf(job, secret)),
        );
        for (const [kind, { everyDays, retentionDays }] of Object.entries({ daily, weekly })) {
            attempt(() => {
                const kept = keptBelow(`${kind}/`, resources);
                if (kept === undefined) {
                    report(`no bucket of the stack keeps ${kind} dumps`);
                    return;
                }
                attempt(() => {
                    const found = kept.rule["expiration"]?.days;
                    if (found !== retentionDays) {
                        const days = found ?? "unlimited";
                        report(`${kind} dumps are kept for ${days} days, expected ${retentionDays}`);
                    }
                });
                attempt(() => {
                    const transitions: Properties[] = kept.rule["transitions"] ?? [];
                    if (
                        kind === "weekly" &&
                        !transitions.some(({ storageClass }) => storageClass === "GLACIER")
                    ) {
                        report("weekly dumps do not go to Glacier");
                    }
                });
                const schedule = uploadSchedule(`${kind}/`, kept.bucket, jobs);
                if (schedule === undefined) {
                    report(`no CronJob takes ${kind} dumps of it`);
                } else if (!runsEvery(schedule, everyDays * DAY)) {
                    report(`${kind} dumps are taken by ${schedule}, expected ${kind} ones`);
                }
            });
        }
    }),
};
