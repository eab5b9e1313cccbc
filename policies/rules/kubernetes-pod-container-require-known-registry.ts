import { eachContainer } from "../pods";
import { type Rule } from "../rule";

/** Registries of an account, and the publishers that AWS has verified whose images the platform runs. */
const KNOWN = [
    /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com\//,
    /^public\.ecr\.aws\/(docker\/library|aws-cli|aws-observability|cloudwatch-agent|eks)\//,
];

export const rule: Rule = {
    name: "kubernetes-pod-container-require-known-registry",
    description: "Images come from an account's own registry, or from a publisher that AWS has verified.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CIS-EKS-5.1.4"],
    remediation: "Copy the image into ECR, or add its publisher to the known ones of the rule.",
    resource: eachContainer((container, report) => {
        const image = String(container["image"]);
        if (!KNOWN.some((registry) => registry.test(image))) {
            report(`image ${image} is of no known registry`);
        }
    }),
};
