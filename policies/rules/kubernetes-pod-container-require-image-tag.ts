import { eachContainer } from "../pods";
import { type Rule } from "../rule";

export const rule: Rule = {
    name: "kubernetes-pod-container-require-image-tag",
    description: "Images name the release that runs: no latest, and no missing tag.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_14"],
    remediation: "Give the image the tag of a release.",
    resource: eachContainer((container, report) => {
        const [reference, digest] = String(container["image"] ?? "").split("@");
        // The first colon may belong to the registry's port.
        const tag = reference!.split("/").at(-1)!.split(":")[1];
        if (tag === "latest") {
            report(`image ${reference} is the latest, whichever that is`);
        } else if (!tag && digest === undefined) {
            report(`image ${reference} has no tag`);
        }
    }),
};
