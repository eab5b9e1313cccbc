import { PLACEHOLDER_DIGEST } from "../../core/placeholderDigest";
import { eachContainer } from "../pods";
import { type Rule } from "../rule";
import { isTrial } from "../selectors";
import { Undetermined } from "../unknown";

export const rule: Rule = {
    name: "kubernetes-pod-container-require-image-digest",
    description: "Outside of trials, images are pinned by their digest: a tag can be moved.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_43"],
    remediation: "Pin the images: npm run images -- pin.",
    resource: eachContainer((container, report, _pod, resource) => {
        if (isTrial(resource)) {
            return;
        }
        const image = String(container["image"]);
        if (image.endsWith(`@${PLACEHOLDER_DIGEST}`)) {
            throw new Undetermined("the image digest", "is a placeholder until npm run images -- pin");
        }
        if (!/@sha256:[0-9a-f]{64}$/.test(image)) {
            report(`image ${image} has no digest`);
        }
    }),
};
