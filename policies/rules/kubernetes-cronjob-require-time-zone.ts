import { TIME_ZONE } from "../../core/numbers";
import { isKind } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-cronjob-require-time-zone",
    description: `CronJobs go by the clock of ${TIME_ZONE}, which every time of the runbook is meant in.`,
    severity: "medium",
    enforcement: "mandatory",
    frameworks: [],
    remediation: `Set timeZone to ${TIME_ZONE}: without it the zone is that of the control plane.`,
    runbook: "5.1",
    resource(resource, { report }) {
        if (!isKind(resource, "batch", "CronJob")) {
            return;
        }
        const found = resource.props["spec"]?.timeZone;
        if (found !== TIME_ZONE) {
            report(`timeZone is ${found ?? "not set"}, expected ${TIME_ZONE}`);
        }
    },
};
