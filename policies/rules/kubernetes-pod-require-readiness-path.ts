import { probesHealthMatrix } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-require-readiness-path",
    description: "The readiness probe of each service uses the port and path of the health matrix.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: [],
    remediation: "Set the httpGet of readinessProbe as the health matrix in core/numbers.ts says.",
    runbook: "2.1",
    resource: probesHealthMatrix("readinessProbe", "ready"),
};
