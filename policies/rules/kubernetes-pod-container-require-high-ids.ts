import { eachContainer, readsNodeLogs, securitySetting } from "../pods";
import { type Rule } from "../rule";

const LOWEST_ID = 10_000;

export const rule: Rule = {
    name: "kubernetes-pod-container-require-high-ids",
    description: `Containers run as a user and a group from ${LOWEST_ID} on, which no user of the node has.`,
    severity: "low",
    enforcement: "advisory",
    frameworks: ["CKV_K8S_40", "kube-score:container-security-context-user-group-id"],
    remediation: `Set securityContext.runAsUser and .runAsGroup to ${LOWEST_ID} or more, on the pod or the container.`,
    resource: eachContainer((container, report, pod, resource) => {
        for (const key of ["runAsUser", "runAsGroup"]) {
            const found = securitySetting(container, pod, key);
            if (!(found >= LOWEST_ID) && !readsNodeLogs(pod, resource)) {
                report(`${key} is ${found ?? "not set"}, expected ${LOWEST_ID} or more`);
            }
        }
    }),
};
