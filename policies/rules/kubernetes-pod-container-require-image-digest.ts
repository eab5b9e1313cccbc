import { ENVIRONMENT_LABEL } from "../../core/labels";
import { PLACEHOLDER_DIGEST } from "../../core/placeholderDigest";
import { eachContainer } from "../pods";
import { type Rule } from "../rule";
import { Undetermined } from "../unknown";

export const rule: Rule = {
    name: "kubernetes-pod-container-require-image-digest",
    description: "Outside of staging, images are pinned by their digest: a tag can be moved.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_43"],
    remediation: "Pin the images: npm run images -- pin.",
    resource: eachContainer((container, report, _pod, resource) => {
        if (resource.props["metadata"]?.labels?.[ENVIRONMENT_LABEL] === "staging") {
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
