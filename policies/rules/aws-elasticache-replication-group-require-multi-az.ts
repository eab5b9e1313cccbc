import { isReplicationGroup } from "../caches";
import { type Rule } from "../rule";
import { isTrial } from "../selectors";

export const rule: Rule = {
    name: "aws-elasticache-replication-group-require-multi-az",
    description: "Outside of trials, a copy in a second zone takes over when Redis's zone fails.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV2_AWS_50", "AwsSolutions-AEC4"],
    remediation: "Set multiAzEnabled and automaticFailoverEnabled to true, with two nodes or more.",
    resource(resource, { report, attempt }) {
        if (!isReplicationGroup(resource) || isTrial(resource)) {
            return;
        }
        for (const key of ["multiAzEnabled", "automaticFailoverEnabled"]) {
            attempt(() => {
                if (resource.props[key] !== true) {
                    report(`${key} is ${resource.props[key] ?? "not set"}, expected true`);
                }
            });
        }
    },
};
