import { z } from "zod";
import { cidr, dnsLabel, distinct, port, someText, text } from "./scalars";

/**
 * Namespace that the stack owns. Roles, vaults, the cache and much else are named by it: the longest of these names is
 * as long as AWS takes it with this many characters.
 */
export const LONGEST_NAMESPACE = 22;
const ownNamespace = text(
    new RegExp(`^(?!.*--)[a-z][-a-z0-9]{0,${LONGEST_NAMESPACE - 2}}[a-z0-9]$`),
    `a name of 2 to ${LONGEST_NAMESPACE} lower-case letters, digits and single hyphens, from a letter on, such as mcp-production`,
).refine((name) => !RESERVED_NAMESPACES.test(name), "a namespace of the stack's own, not one of the cluster");
const RESERVED_NAMESPACES = /^(default|kube-.*|amazon-.*|aws-.*)$/;

/** Which cluster the workloads run in, and how it is reached. */
export const kubernetesSchema = z
    .strictObject({
        /** Namespace the stack owns. */
        namespace: ownNamespace,
        /**
         * EKS cluster. Its endpoint is looked up and each request is signed by `aws eks get-token`, so a
         * release may outlast the fifteen minutes of a fixed token. Give either this or `context`.
         */
        cluster: text(
            /^[0-9A-Za-z][\w-]{0,99}$/,
            "the name of an EKS cluster, of at most 100 letters, digits, hyphens and underscores",
        ).optional(),
        /** Context of a kubeconfig file, for any other cluster. */
        context: someText
            .regex(/^[^-]/, "the name of a context that does not begin with a hyphen")
            .optional(),
        /** Path of that kubeconfig file. Default: what kubectl would use. */
        kubeconfig: someText.regex(/^[^-]/, "a path that does not begin with a hyphen").optional(),
        /**
         * Namespace of the ingress controller: the one place outside the stack that may call its services. Needed where
         * a workload has `network.ingress`; behind an ALB, whose subnets may call them instead, it is not used.
         */
        ingressNamespace: dnsLabel.optional(),
        /** Where pods reach the Kubernetes API: on EKS the range of the VPC, or the subnets that its control plane is in. */
        apiServer: z.strictObject({
            cidr,
            /** Default: 443. */
            port: port.default(443),
        }),
        /**
         * Where pods reach DNS beside the pods of kube-system: `169.254.20.10/32` with NodeLocal DNSCache, the cluster's DNS
         * address (`172.20.0.10/32`, or `10.100.0.10/32`) on nodes of EKS Auto Mode, where DNS runs on the node. UDP and TCP,
         * port 53. Default: none.
         */
        dns: distinct(z.array(cidr)).default([]),
        /** Range of the VPC, in which pods reach PostgreSQL and Redis. Default: `apiServer.cidr`. */
        vpc: cidr.optional(),
    })
    .superRefine((value, context) => {
        if ((value.cluster === undefined) === (value.context === undefined)) {
            context.addIssue({
                code: "custom",
                path: ["cluster"],
                message: "either cluster (EKS) or context (a kubeconfig), not both and not neither",
            });
        }
        if (value.kubeconfig !== undefined && value.context === undefined) {
            context.addIssue({
                code: "custom",
                path: ["kubeconfig"],
                message:
                    "context beside kubeconfig, so that the cluster never depends on whoever runs the update",
            });
        }
    })
    .transform((value) => ({ ...value, vpc: value.vpc ?? value.apiServer.cidr }));

/** See {@link kubernetesSchema}. */
export type KubernetesValues = z.output<typeof kubernetesSchema>;
