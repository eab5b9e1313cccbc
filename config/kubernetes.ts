import { z } from "zod";
import { cidr, dnsLabel, distinct, port, someText, text } from "./scalars";

/**
 * Namespace that the stack owns. Roles, vaults, the cache and others contain it in their names: this length keeps the
 * longest of them within AWS's limit.
 */
export const LONGEST_NAMESPACE = 22;
const ownNamespace = text(
    new RegExp(`^(?!.*--)[a-z][-a-z0-9]{0,${LONGEST_NAMESPACE - 2}}[a-z0-9]$`),
    `a name of 2 to ${LONGEST_NAMESPACE} lower-case letters, digits and single hyphens, starting with a letter, ` +
        "such as mcp-production",
).refine(
    (name) => !RESERVED_NAMESPACES.test(name),
    "a namespace for this stack alone, not one of the cluster",
);
const RESERVED_NAMESPACES = /^(default|kube-.*|amazon-.*|aws-.*)$/;

/** The cluster of the workloads, and how to reach it. */
export const kubernetesSchema = z
    .strictObject({
        /** Namespace that the stack owns. */
        namespace: ownNamespace,
        /**
         * EKS cluster. The program looks up its endpoint and signs each request by `aws eks get-token`, so a release
         * may take longer than the fifteen minutes that a token is valid. Set either this or `context`.
         */
        cluster: text(
            /^[0-9A-Za-z][\w-]{0,99}$/,
            "the name of an EKS cluster, of at most 100 letters, digits, hyphens and underscores",
        ).optional(),
        /** Context of a kubeconfig file, for any other cluster. Set either this or `cluster`. */
        context: someText
            .regex(/^[^-]/, "the name of a context that does not begin with a hyphen")
            .optional(),
        /** Path of that kubeconfig file. Default: kubectl's default. */
        kubeconfig: someText.regex(/^[^-]/, "a path that does not begin with a hyphen").optional(),
        /**
         * Namespace of the ingress controller, the only source outside the stack that may call its services. Required
         * if a workload has `network.ingress`, except behind an ALB, whose subnets may call the services instead.
         */
        ingressNamespace: dnsLabel.optional(),
        /** Address range of the Kubernetes API: on EKS the range of the VPC, or the subnets of its control plane. */
        apiServer: z.strictObject({
            cidr,
            /** Default: 443. */
            port: port.default(443),
        }),
        /**
         * Addresses of DNS servers in addition to the pods of kube-system: `169.254.20.10/32` with NodeLocal DNSCache,
         * the cluster's DNS address (`172.20.0.10/32`, or `10.100.0.10/32`) on EKS Auto Mode, where DNS runs on the
         * node. UDP and TCP, port 53. Default: none.
         */
        dns: distinct(z.array(cidr)).default([]),
        /** Range of the VPC that contains PostgreSQL and Redis. Default: `apiServer.cidr`. */
        vpc: cidr.optional(),
    })
    .superRefine((value, context) => {
        if ((value.cluster === undefined) === (value.context === undefined)) {
            context.addIssue({
                code: "custom",
                path: ["cluster"],
                message: "exactly one of cluster (EKS) and context (a kubeconfig)",
            });
        }
        if (value.kubeconfig !== undefined && value.context === undefined) {
            context.addIssue({
                code: "custom",
                path: ["kubeconfig"],
                message:
                    "context in addition to kubeconfig, because the file's current context differs between machines",
            });
        }
    })
    .transform((value) => ({ ...value, vpc: value.vpc ?? value.apiServer.cidr }));

/** See {@link kubernetesSchema}. */
export type KubernetesValues = z.output<typeof kubernetesSchema>;
