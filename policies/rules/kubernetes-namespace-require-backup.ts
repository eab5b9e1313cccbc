import { ENVIRONMENT_LABEL } from "../../components/labels";
import { BACKUPS } from "../../runbook/numbers";
import { retentionBelow } from "../buckets";
import { isKind } from "../pods";
import { type Rule } from "../rule";
import { eachOf } from "../selectors";

const { retentionDays } = BACKUPS.kubernetes;

export const rule: Rule = {
    name: "kubernetes-namespace-require-backup",
    description: `Outside of staging, a bucket keeps the configurations of a namespace for ${retentionDays} days.`,
    severity: "medium",
    enforcement: "mandatory",
    frameworks: [],
    remediation: `Give a bucket of the stack a lifecycle with a rule below kubernetes/ that expires after ${retentionDays} days.`,
    runbook: "7.1",
    stack: eachOf(
        (resource) => isKind(resource, "core", "Namespace"),
        (namespace, resources, { report }) => {
            if (namespace.props["metadata"]?.labels?.[ENVIRONMENT_LABEL] === "staging") {
                return;
            }
            const found = retentionBelow("kubernetes/", resources);
            if (found === undefined) {
                report("no bucket of the stack keeps its configurations");
            } else if (found.days !== retentionDays) {
                report(
                    `its configurations are kept for ${found.days ?? "unlimited"} days, expected ${retentionDays}`,
                );
            }
        },
    ),
};
