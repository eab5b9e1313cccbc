import { isKind } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-job-require-deadline",
    description: "Jobs end by themselves, do not start over in place, and stay for their logs.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: [],
    remediation:
        "Set activeDeadlineSeconds, backoffLimit 0 or restartPolicy Never, and no ttlSecondsAfterFinished.",
    resource(resource, { report }) {
        if (!isKind(resource, "batch", "Job")) {
            return;
        }
        const { activeDeadlineSeconds, backoffLimit, template, ttlSecondsAfterFinished } =
            resource.props["spec"] ?? {};
        if (activeDeadlineSeconds == null) {
            report("activeDeadlineSeconds is not set");
        }
        if (backoffLimit !== 0 && template?.spec?.restartPolicy !== "Never") {
            report("has neither backoffLimit 0 nor restartPolicy Never");
        }
        // A Job that Kubernetes removes would be created, and so run, again by the next update.
        if (ttlSecondsAfterFinished != null) {
            report("ttlSecondsAfterFinished is set");
        }
    },
};
