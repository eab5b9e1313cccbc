import { isKind } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-cronjob-require-deadline",
    description: "CronJobs start in time or are skipped, never overlap, have a deadline and keep a history.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["kube-score:cronjob-has-deadline", "kube-score:cronjob-restartpolicy"],
    remediation:
        "Set startingDeadlineSeconds, concurrencyPolicy to Forbid or Replace, both history limits, and in jobTemplate activeDeadlineSeconds and restartPolicy to Never or OnFailure.",
    resource(resource, { report, attempt }) {
        if (!isKind(resource, "batch", "CronJob")) {
            return;
        }
        const spec = resource.props["spec"] ?? {};
        for (const key of [
            "startingDeadlineSeconds",
            "successfulJobsHistoryLimit",
            "failedJobsHistoryLimit",
        ]) {
            attempt(() => {
                if (spec[key] == null) {
                    report(`${key} is not set`);
                }
            });
        }
        attempt(() => {
            const found = spec.concurrencyPolicy ?? "not set";
            if (found !== "Forbid" && found !== "Replace") {
                report(`concurrencyPolicy is ${found}, expected Forbid or Replace`);
            }
        });
        const job = spec.jobTemplate?.spec ?? {};
        attempt(() => {
            if (job.activeDeadlineSeconds == null) {
                report("activeDeadlineSeconds of its Jobs is not set");
            }
        });
        const restart = job.template?.spec?.restartPolicy ?? "not set";
        if (restart !== "Never" && restart !== "OnFailure") {
            report(`restartPolicy is ${restart}, expected Never or OnFailure`);
        }
    },
};
