import { eachContainer } from "../pods";
import { type Rule } from "../rule";

const SECRET_NAME = /(PASSWORD|SECRET|TOKEN|API_?KEY)$/;

export const rule: Rule = {
    name: "kubernetes-pod-container-disallow-secret-env",
    description:
        "No secret is in the environment of a container, where crash reports and child processes take it along.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_35", "CIS-EKS-4.4.1"],
    remediation: "Mount the Secret as files and name them in variables that end in _FILE.",
    resource: eachContainer((container, report) => {
        for (const source of container["envFrom"] ?? []) {
            if (source.secretRef != null) {
                report("takes its environment from a Secret");
            }
        }
        for (const variable of container["env"] ?? []) {
            if (variable.valueFrom?.secretKeyRef != null) {
                report(`takes ${variable.name} from a Secret`);
            }
            // The value itself is never read: it may be the secret.
            if ("value" in variable && SECRET_NAME.test(variable.name)) {
                report(`sets ${variable.name} to a literal`);
            }
        }
    }),
};
