import { eachContainer } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-container-require-dropped-capabilities",
    description: "Containers drop all capabilities, and add none but the one to listen below port 1024.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_28", "CKV_K8S_37", "PSS-restricted"],
    remediation: 'Set securityContext.capabilities of the container to { drop: ["ALL"] }.',
    resource: eachContainer((container, report) => {
        const { drop, add } = container["securityContext"]?.capabilities ?? {};
        if (!drop?.includes("ALL")) {
            report("does not drop ALL capabilities");
        }
        for (const capability of add ?? []) {
            if (capability !== "NET_BIND_SERVICE") {
                report(`adds the capability ${capability}`);
            }
        }
    }),
};
