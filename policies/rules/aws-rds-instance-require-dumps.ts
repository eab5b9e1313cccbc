import { BACKUPS } from "../../runbook/numbers";
import { retentionBelow } from "../buckets";
import { isInstance } from "../databases";
import { type Rule } from "../rule";
import { eachOf, isStaging } from "../selectors";

const { daily, weekly } = BACKUPS.postgresql;

export const rule: Rule = {
    name: "aws-rds-instance-require-dumps",
    description: `Outside of staging, a bucket keeps daily dumps of a database for ${daily.retentionDays} days, and weekly ones in Glacier for ${weekly.retentionDays}.`,
    severity: "high",
    enforcement: "mandatory",
    frameworks: [],
    remediation:
        "Give a bucket of the stack a lifecycle with a rule below daily/ and one below weekly/, the latter with a transition to GLACIER.",
    runbook: "7.1",
    stack: eachOf(isInstance, (instance, resources, { report, attempt }) => {
        if (isStaging(instance)) {
            return;
        }
        for (const [kind, { retentionDays }] of Object.entries({ daily, weekly })) {
            attempt(() => {
                const found = retentionBelow(`${kind}/`, resources);
                if (found === undefined) {
                    report(`no bucket of the stack keeps ${kind} dumps`);
                } else if (found.days !== retentionDays) {
                    const days = found.days ?? "unlimited";
                    report(`${kind} dumps are kept for ${days} days, expected ${retentionDays}`);
                } else if (kind === "weekly" && !found.storageClasses.includes("GLACIER")) {
                    report("weekly dumps do not go to Glacier");
                }
            });
        }
    }),
};
