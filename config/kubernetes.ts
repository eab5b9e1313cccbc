import { z } from "zod";
import { cidr, dnsLabel, port, someText } from "./scalars";

/** Which cluster the workloads run in, and how it is reached. */
export const kubernetesSchema = z
    .strictObject({
        /** Namespace the stack owns. */
        namespace: dnsLabel,
        /**
         * EKS cluster. Its endpoint is looked up and each request is signed by `aws eks get-token`, so a
         * release may outlast the fifteen minutes of a fixed token. Give either this or `context`.
         */
        cluster: someText.optional(),
        /** Context of a kubeconfig file, for any other cluster. */
        context: someText.optional(),
        /** Path of that kubeconfig file. Default: what kubectl would use. */
        kubeconfig: someText.optional(),
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
