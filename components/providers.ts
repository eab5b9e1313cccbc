import { Provider as AwsProvider } from "@pulumi/aws/provider";
import { type Region } from "@pulumi/aws/types/enums";
import { Cluster } from "@pulumi/aws/eks/cluster";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import { getProject, getStack, jsonStringify } from "@pulumi/pulumi";
import { Provider as RandomProvider } from "@pulumi/random/provider";
import { type Tier, TIER_TAG } from "../core/labels";
import { eksKubeconfig } from "../core/kubeconfig";
import { required } from "../core/required";

/**
 * The explicit providers of the stack. The default providers are disabled, so that no resource is created in another
 * account or cluster.
 */
export interface Providers {
    /** @throws Error in a stack without AWS, which declares no AWS resources. */
    readonly aws: AwsProvider;
    kubernetes: KubernetesProvider;
    random: RandomProvider;
    /** Providers of the copies, in a second region and perhaps a second account. */
    copies: AwsProvider | undefined;
    /** The EKS cluster, if the stack runs on one. */
    cluster: Cluster | undefined;
}

/** Arguments of {@link configureProviders}. */
export interface ProvidersArgs {
    environment: string;
    /** Whether production's rules hold; otherwise each AWS resource is tagged as a trial's. */
    production: boolean;
    /** Account and region. Default: none; nothing is on AWS. */
    aws?:
        | {
              region: string;
              /** The only account that the AWS provider accepts. */
              accountId: string;
              /** Tags on every AWS resource, in addition to project, stack, environment and managed-by. */
              tags: Readonly<Record<string, string>>;
          }
        | undefined;
    /** A second region, and the role to assume in a second account. Default: none. */
    copies?: { region: string; account?: { id: string; role: string } | undefined } | undefined;
    /** An EKS cluster by its name, or any cluster by the context of a kubeconfig. */
    kubernetes: {
        cluster?: string | undefined;
        context?: string | undefined;
        kubeconfig?: string | undefined;
    };
}

/** Declares one provider each for the account, the cluster and random values. */
export function configureProviders({
    aws: account,
    kubernetes: access,
    copies: elsewhere,
    environment,
    production,
}: ProvidersArgs): Providers {
    const defaultTags = {
        tags: {
            ...account?.tags,
            project: getProject(),
            stack: getStack(),
            environment,
            ...(production ? {} : { [TIER_TAG]: "trial" satisfies Tier }),
            "managed-by": "pulumi",
        },
    };
    const aws =
        account &&
        new AwsProvider("aws", {
            region: account.region as Region,
            allowedAccountIds: [account.accountId],
            defaultTags,
        });
    const copies =
        account &&
        elsewhere &&
        new AwsProvider("aws-copies", {
            region: elsewhere.region as Region,
            allowedAccountIds: [elsewhere.account?.id ?? account.accountId],
            ...(elsewhere.account && { assumeRoles: [{ roleArn: elsewhere.account.role }] }),
            defaultTags,
        });
    const cluster =
        access.cluster === undefined || aws === undefined
            ? undefined
            : Cluster.get(access.cluster, access.cluster, undefined, { provider: aws });
    const kubernetes = new KubernetesProvider("kubernetes", {
        ...(cluster === undefined
            ? { context: access.context, kubeconfig: access.kubeconfig }
            : { kubeconfig: jsonStringify(eksKubeconfig(access.cluster!, account!.region, cluster)) }),
        // The next update reverts a field that was changed by hand, instead of failing on a conflict.
        enablePatchForce: true,
        // Secrets that must be replaced set `immutable`; a certificate under its fixed name is updated in place.
        enableSecretMutable: true,
    });
    return {
        get aws() {
            return required(aws, "mcp:aws");
        },
        kubernetes,
        random: new RandomProvider("random"),
        copies,
        cluster,
    };
}
