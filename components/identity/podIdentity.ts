import { PodIdentityAssociation } from "@pulumi/aws/eks/podIdentityAssociation";
import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { ComponentResource, type ComponentResourceOptions, type Input, jsonStringify } from "@pulumi/pulumi";

/** Address of the Pod Identity agent on the pod's node. A NetworkPolicy must allow it. */
export const IDENTITY_AGENT_EGRESS = {
    to: [{ ipBlock: { cidr: "169.254.170.23/32" } }],
    ports: [{ protocol: "TCP", port: 80 }],
};

/** Arguments of {@link PodIdentity}. */
export interface PodIdentityArgs {
    /** EKS cluster of the pods; its Pod Identity agent add-on must be installed. */
    cluster: Input<string>;
    namespace: Input<string>;
    serviceAccount: Input<string>;
    /** AWS rights: exact actions on exact ARNs, with a condition if AWS supports no resource. */
    permissions: readonly {
        actions: string[];
        resources: Input<string>[];
        /** IAM conditions: operator, then key, then value. Default: none. */
        condition?: Record<string, Record<string, string>>;
    }[];
}

/** The right to publish metrics to one namespace only. PutMetricData supports no resource. */
export function metricsPermission(namespace: string): PodIdentityArgs["permissions"][number] {
    return {
        actions: ["cloudwatch:PutMetricData"],
        resources: ["*"],
        condition: { StringEquals: { "cloudwatch:namespace": namespace } },
    };
}

/** AWS rights of the pods of one ServiceAccount: a role that only this ServiceAccount can assume. */
export class PodIdentity extends ComponentResource {
    constructor(name: string, args: PodIdentityArgs, opts?: ComponentResourceOptions) {
        super("mcp:identity:PodIdentity", name, {}, opts);

        const role = new Role(
            name,
            {
                assumeRolePolicy: jsonStringify({
                    Version: "2012-10-17",
                    Statement: [
                        {
                            Effect: "Allow",
                            Principal: { Service: "pods.eks.amazonaws.com" },
                            Action: ["sts:AssumeRole", "sts:TagSession"],
                            Condition: {
                                StringEquals: {
                                    "aws:RequestTag/eks-cluster-name": args.cluster,
                                    "aws:RequestTag/kubernetes-namespace": args.namespace,
                                    "aws:RequestTag/kubernetes-service-account": args.serviceAccount,
                                },
                            },
                        },
                    ],
                }),
            },
            { parent: this },
        );

        const policy = new RolePolicy(
            name,
            {
                role: role.id,
                policy: jsonStringify({
                    Version: "2012-10-17",
                    Statement: args.permissions.map(({ actions, resources, condition }) => ({
                        Effect: "Allow",
                        Action: actions,
                        Resource: resources,
                        ...(condition && { Condition: condition }),
                    })),
                }),
            },
            { parent: this },
        );

        new PodIdentityAssociation(
            name,
            {
                clusterName: args.cluster,
                namespace: args.namespace,
                serviceAccount: args.serviceAccount,
                roleArn: role.arn,
            },
            { parent: this, dependsOn: [policy] },
        );

        this.registerOutputs();
    }
}
