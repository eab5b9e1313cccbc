import { ROLLOUT_TIMEOUT_SECONDS } from "../../runbook/numbers";
import { isKind } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-deployment-require-rollout-timeout",
    description: `A Deployment's rollout is awaited, and for ${ROLLOUT_TIMEOUT_SECONDS} seconds.`,
    severity: "high",
    enforcement: "mandatory",
    frameworks: [],
    remediation: "Set customTimeouts.create and .update to 300s and drop the pulumi.com/skipAwait annotation.",
    runbook: "3.2 step 2",
    resource(resource, { report }) {
        if (!isKind(resource, "apps", "Deployment")) {
            return;
        }
        // An idle colour is scaled away: there is no rollout to await.
        if (resource.props["spec"].replicas === 0) {
            return;
        }
        const expected = `${ROLLOUT_TIMEOUT_SECONDS}s`;
        for (const operation of ["create", "update"] as const) {
            const found = resource.customTimeouts[operation];
            if (found !== expected) {
                report(`customTimeouts.${operation} is ${found ?? "not set"}, expected ${expected}`);
            }
        }
        if (resource.props["metadata"]?.annotations?.["pulumi.com/skipAwait"] === "true") {
            report("skips the await of its rollout");
        }
    },
};
