import { POD_LOGS, SHIPPER_STATE } from "../../core/nodePaths";
import { type DeclaredPod, eachPod, readsNodeLogs } from "../pods";
import { type Rule } from "../rule";
import { type Properties } from "../unknown";

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
    description:
        "Pods mount only volumes of the types that the restricted Pod Security profile allows, and those annotated " +
        `to read their node's logs ${POD_LOGS}, read-only, and a directory below ${SHIPPER_STATE}.`,
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_27", "PSS-restricted"],
    remediation: `Use one of ${ALLOWED.join(", ")}.`,
    resource: eachPod((pod, verdict, resource) => {
        for (const index of Object.keys(pod.spec["volumes"] ?? {})) {
            verdict.attempt(() => {
                const volume = pod.spec["volumes"][index];
                for (const type of Object.keys(volume)) {
                    if (
                        type !== "name" &&
                        !ALLOWED.includes(type) &&
                        volume[type] != null &&
                        !(readsNodeLogs(pod, resource) && isOfShipper(volume, pod))
                    ) {
                        verdict.report(`volume ${volume.name}: is of type ${type}`);
                    }
                }
            });
        }
    }),
};

/** Whether a volume is one of the two node directories of log shipping. */
function isOfShipper({ name, hostPath }: Properties, { spec }: DeclaredPod): boolean {
    const path = String(hostPath?.path);
    const containers: Properties[] = [...(spec["initContainers"] ?? []), ...spec["containers"]];
    const mounts = containers.flatMap(({ volumeMounts }) => volumeMounts ?? []);
    return (
        new RegExp(`^${SHIPPER_STATE}/[a-z0-9-]+$`).test(path) ||
        (path === POD_LOGS &&
            mounts.filter((mount) => mount.name === name).every(({ readOnly }) => readOnly === true))
    );
}
