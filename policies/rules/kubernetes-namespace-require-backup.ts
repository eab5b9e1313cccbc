import { BACKUPS } from "../../core/numbers";
import { keptBelow, uploadSchedule } from "../buckets";
import { isDeployment, isKind } from "../pods";
import { type PolicyResource, type Rule } from "../rule";
import { DAY, runsEvery } from "../schedules";
import { eachOf, findOf, isTrial, leadsTo } from "../selectors";

const { everyDays, retentionDays } = BACKUPS.kubernetes;

export const rule: Rule = {
    name: "kubernetes-namespace-require-backup",
    description: `Outside of trials, in a stack on AWS, the configurations of a namespace with services are exported every day, and a bucket keeps them for ${retentionDays} days.`,
    severity: "medium",
    enforcement: "mandatory",
    frameworks: [],
    remediation: `Give a bucket of the stack a lifecycle with a rule below kubernetes/ that expires after ${retentionDays} days, and declare a daily CronJob in the namespace that has in its environment the bucket as BUCKET and kubernetes as KIND.`,
    runbook: "7.1",
    stack: eachOf(
        (resource) => isKind(resource, "core", "Namespace"),
        (namespace, resources, { report, attempt }) => {
            if (isTrial(namespace) || !resources.some(({ type }) => type.startsWith("aws:"))) {
                return;
            }
            const isInside = (object: PolicyResource) =>
                leadsTo(object, "metadata.namespace", namespace, nameOfNamespace);
            if (findOf(resources.filter(isDeployment), isInside) === undefined) {
                return;
            }
            const kept = keptBelow("kubernetes/", resources);
            if (kept === undefined) {
                report("no bucket of the stack keeps its configurations");
                return;
            }
            attempt(() => {
                const found = kept.rule["expiration"]?.days;
                if (found !== retentionDays) {
                    const days = found ?? "unlimited";
                    report(`its configurations are kept for ${days} days, expected ${retentionDays}`);
                }
            });
            const jobs = resources.filter((job) => isKind(job, "batch", "CronJob") && isInside(job));
            const schedule = uploadSchedule("kubernetes/", kept.bucket, jobs);
            if (schedule === undefined) {
                report("no CronJob exports its configurations");
            } else if (!runsEvery(schedule, everyDays * DAY)) {
                report(`its configurations are exported by ${schedule}, expected every day`);
            }
        },
    ),
};

function nameOfNamespace({ props }: PolicyResource): string {
    return props["metadata"]?.name;
}
