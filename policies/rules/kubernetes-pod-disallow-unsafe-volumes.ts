import { eachPod } from "../pods";
import { type Rule } from "../rule";

const ALLOWED = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

export const rule: Rule = {
    name: "kubernetes-pod-disallow-unsafe-volumes",
    description: "Pods mount only volumes of the types that the restricted Pod Security profile allows.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_27", "PSS-restricted"],
    remediation: `Use one of ${ALLOWED.join(", ")}.`,
    resource: eachPod(({ spec }, verdict) => {
        for (const index of Object.keys(spec["volumes"] ?? {})) {
            verdict.attempt(() => {
                const volume = spec["volumes"][index];
                for (const type of Object.keys(volume)) {
                    if (type !== "name" && !ALLOWED.includes(type) && volume[type] != null) {
                        verdict.report(`volume ${volume.name}: is of type ${type}`);
                    }
                }
            });
        }
    }),
};
