import { REGISTRIES_ANNOTATION } from "../../core/labels";
import { declaresPods, eachContainer, isKind } from "../pods";
import { type PolicyResource, type Rule } from "../rule";
import { eachOf } from "../selectors";

/** Verified publishers of the jobs' images. */
const PUBLISHERS = ["docker/library", "aws-cli", "aws-observability", "cloudwatch-agent", "eks"].map(
    (publisher) => `public.ecr.aws/${publisher}`,
);

export const rule: Rule = {
    name: "kubernetes-pod-container-require-known-registry",
    description:
        "Images come from the stack's registry, from one that its values trust, or from a publisher that AWS has verified.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CIS-EKS-5.1.4"],
    remediation: "Copy the image into the stack's registry, or trust its registry: mcp:images.trusted.",
    stack: eachOf(declaresPods, (resource, resources, verdict) => {
        const known = [...PUBLISHERS, ...registriesOf(resources)];
        const check = eachContainer((container, report) => {
            const image = String(container["image"]);
            if (!known.some((registry) => image.startsWith(`${registry}/`))) {
                report(`image ${image} is not of a known registry`);
            }
        });
        check(resource, verdict);
    }),
};

/** The registries of the stack's values, from the annotation of its namespace. */
function registriesOf(resources: readonly PolicyResource[]): string[] {
    return resources
        .filter((resource) => isKind(resource, "core", "Namespace"))
        .flatMap(({ props }) => {
            const named: string = props["metadata"]?.annotations?.[REGISTRIES_ANNOTATION] ?? "";
            return named.split(",").filter((registry) => registry !== "");
        });
}
