import { ROLLOUT_TIMEOUT_SECONDS } from "../../core/numbers";
import { isDeployment } from "../pods";
import { type Rule } from "../rule";

const EXPECTED = `${ROLLOUT_TIMEOUT_SECONDS}s`;

export const rule: Rule = {
    name: "kubernetes-deployment-require-rollout-timeout",
    description: `A Deployment's rollout is awaited, and for ${ROLLOUT_TIMEOUT_SECONDS} seconds.`,
    severity: "high",
    enforcement: "mandatory",
    frameworks: [],
    remediation: `Set customTimeouts.create and .update to ${EXPECTED} and drop the pulumi.com/skipAwait annotation.`,
    runbook: "3.2 step 2",
    resource(resource, { report }) {
        // An idle colour is scaled to 0: there is no rollout to wait for.
        if (!isDeployment(resource) || resource.props["spec"]?.replicas === 0) {
            return;
        }
        for (const operation of ["create", "update"] as const) {
            const found = resource.customTimeouts[operation];
            if (found !== EXPECTED) {
                report(`customTimeouts.${operation} is ${found ?? "not set"}, expected ${EXPECTED}`);
            }
        }
        if (resource.props["metadata"]?.annotations?.["pulumi.com/skipAwait"] === "true") {
            report("skips the await of its rollout");
        }
    },
};
