import { ROLLOUT_TIMEOUT_SECONDS } from "../../core/numbers";
import { isDeployment } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-deployment-require-progress-deadline",
    description: `Kubernetes gives a rollout up after ${ROLLOUT_TIMEOUT_SECONDS} seconds.`,
    severity: "high",
    enforcement: "mandatory",
    frameworks: [],
    remediation: `Set progressDeadlineSeconds to ${ROLLOUT_TIMEOUT_SECONDS}.`,
    runbook: "3.2 step 2",
    resource(resource, { report }) {
        if (!isDeployment(resource)) {
            return;
        }
        const found = resource.props["spec"]?.progressDeadlineSeconds;
        if (found !== ROLLOUT_TIMEOUT_SECONDS) {
            report(`progressDeadlineSeconds is ${found ?? "not set"}, expected ${ROLLOUT_TIMEOUT_SECONDS}`);
        }
    },
};
